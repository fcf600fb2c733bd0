using System.CommandLine;
using System.Runtime.InteropServices;
using Llava.Cli.Service;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Cuda;

namespace Llava.Cli.Commands;

/// <summary><c>llava doctor</c>: what was found on this machine, and what to do about what was not.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var health = new Option<string?>("--health")
        {
            Description = $"Ask a service process instead whether it is ready; without a URL the one of this container (port Llava__Http__Port, default {new HttpOptions().Port}).",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("doctor", "Say what was found on this machine and what to do about what is missing.") { health };
        command.SetAction((typed, cancellation) => typed.GetResult(health) is null
            ? Task.FromResult(Run(Console.Out))
            : HealthProbe.RunAsync(typed.GetValue(health), Console.Out, cancellation));
        return command;
    }

    private static int Run(TextWriter output)
    {
        Say(output, "system", $"{RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.RuntimeIdentifier}, {RuntimeInformation.FrameworkDescription}");
        try
        {
            var library = TorchLibrary.EnsureLoaded();
            var device = DeviceReport.Take();
            Say(output, "libtorch", $"{device.TorchVersion} from {library.Folder}");
            Say(output, "binding", library.IsPatched
                ? "patched copy in use: this system's libstdc++ is older than GLIBCXX_3.4.32; nothing to do"
                : "loads as it is");
            Say(output, "preflight", $"libtorch has all {library.Imports} symbols that TorchSharp imports");
            Say(output, "cpu", $"{Environment.ProcessorCount} cores, libtorch uses {device.Threads} threads, {string.Join(", ", device.CpuFeatures.DefaultIfEmpty("no vector extension beyond the base"))}");
            Say(output, "kernels", $"{IntegerKernels.Available[0]} for quantized products; also {string.Join(", ", IntegerKernels.Available.Skip(1))}: Llava__Engine__Kernel names another, and the answers stay the same");
            SayCuda(output, library, device);
            return ExitCodes.Ok;
        }
        catch (TorchLibraryException e)
        {
            Say(output, "libtorch", e.Message);
            return ExitCodes.CannotReachOrLoad;
        }
    }

    private static void SayCuda(TextWriter output, TorchLibraryReport library, DeviceReport device)
    {
        var cuda = CudaReport.Take(library.Folder);
        Say(output, "cuda", device.CudaDevices > 0
            ? $"libtorch uses {device.CudaDevices} device(s)"
            : $"none: this libtorch is for the CPU or finds no driver; to use a GPU set {TorchLibrary.FolderVariable} to the torch/lib folder of a CUDA PyTorch");
        Say(output, "driver", cuda.Driver);
        foreach (var found in cuda.Devices)
        {
            Say(output, "device", found);
        }

        Say(output, "compiler", cuda.Compiler);
    }

    private static void Say(TextWriter output, string what, string found) => output.WriteLine($"{what,-10} {found}");
}
