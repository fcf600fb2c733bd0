using System.Runtime.InteropServices;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native.Cuda;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

/// <summary>
/// A device that the processor plays: the kernels' sources compiled by g++ behind the functions of the driver, so that everything up to the last call is what a real device
/// gets. Of the thread that made it.
/// </summary>
internal sealed unsafe class EmulatedDevice : IDisposable
{
    private static readonly Lazy<string> Built = new(Build);

    private readonly CudaDevice _device;

    public EmulatedDevice()
    {
        Driver = CudaDriver.Open(Library);
        _device = new CudaDevice(Driver, 0);
        _device.Activate();
        Kernels = new DeviceKernels(Driver, (_, source) => [.. System.Text.Encoding.UTF8.GetBytes(source), 0]);
    }

    /// <summary>The library that plays driver and compiler.</summary>
    public static string Library => Built.Value;

    public CudaDriver Driver { get; }

    public DeviceKernels Kernels { get; }

    /// <summary>Runs a launch with warps and lanes in order, in reverse and shuffled; the numbers must be the same to the bit.</summary>
    public void InEveryOrder<T>(Action launch, DeviceMemory<T> output)
        where T : unmanaged
    {
        T[]? first = null;
        foreach (var order in (uint[])[0, 1, 12345])
        {
            SetOrder(order);
            output.Clear();
            launch();
            output.ThrowIfTouchedOutside();
            var now = output.ToArray();
            Assert.Equal(MemoryMarshal.AsBytes<T>(first ??= now), MemoryMarshal.AsBytes<T>(now));
        }

        SetOrder(0);
    }

    public void Dispose()
    {
        Kernels.Dispose();
        _device.Dispose();
    }

    private static void SetOrder(uint order) => ((delegate* unmanaged<uint, void>)NativeLibrary.GetExport(NativeLibrary.Load(Library), "emulator_order"))(order);

    private static string Build()
    {
        var folder = Directory.CreateTempSubdirectory("llava-emulation-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        var library = Path.Combine(folder, "libemulated.so");
        string[] files = [.. Directory.GetFiles(KernelFolder.Emulation, "*.cpp")];
        CompilerRun.Of("g++", folder, ["-std=c++17", "-O1", "-shared", "-fPIC", "-DEMULATED", $"-I{KernelFolder.Emulation}", $"-I{KernelFolder.Sources}", .. files, "-o", library]);
        return library;
    }
}
