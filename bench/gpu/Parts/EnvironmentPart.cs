using System.Diagnostics;
using System.Reflection;
using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Cuda;

namespace Llava.Benchmarks.Gpu.Parts;

/// <summary>What is there: the device and its clocks, driver, libtorch, and whether its symbols are those that the binding calls.</summary>
internal sealed class EnvironmentPart : BenchPart
{
    public override string Name => "environment";

    public override int Budget => 15;

    public override void Run(BenchSettings settings, BenchLines lines, PartTime time)
    {
        var library = TorchLibrary.EnsureLoaded();
        var cuda = CudaReport.Take(library.Folder);
        lines.Write(Name, new
        {
            Version = typeof(EnvironmentPart).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion,
            Torch = DeviceReport.Take().TorchVersion,
            CheckedSymbols = library.Imports,
            cuda.Driver,
            cuda.Devices,
            cuda.Compiler,
            Device = settings.Device.ToString(),
            Clocks = Clocks(),
            Sizes = ReferenceEquals(settings.Sizes, BenchSizes.Full) ? "full" : "tiny",
        });
    }

    /// <summary>What NVIDIA's own tool says; null where there is none.</summary>
    private static string? Clocks()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("nvidia-smi", ["--query-gpu=name,driver_version,clocks.sm,clocks.mem,power.limit,temperature.gpu", "--format=csv,noheader"]) { RedirectStandardOutput = true })!;
            return process.StandardOutput.ReadToEnd().Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
