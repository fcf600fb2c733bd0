namespace Llava.ModelCore.Native.Cuda;

/// <summary>What of CUDA this machine has, in words for a person: each part is what was found, or one sentence on what is missing and what to do.</summary>
/// <param name="Driver">The newest CUDA that the driver serves.</param>
/// <param name="Devices">Names, compute capabilities and memory; none without a driver.</param>
/// <param name="Compiler">The run-time compiler, and whether the driver takes what it makes.</param>
public sealed record CudaReport(string Driver, IReadOnlyList<string> Devices, string Compiler)
{
    /// <summary>Looks; nothing that is missing is an exception.</summary>
    /// <param name="torchFolder">Folder of libtorch, where the compiler is looked for first.</param>
    public static CudaReport Take(string torchFolder) => Take(CudaDriver.Library, NvrtcFiles.Candidates(torchFolder));

    /// <summary>Looks in particular places.</summary>
    internal static CudaReport Take(string driverLibrary, IReadOnlyList<string> compilers)
    {
        CudaDriver? driver = null;
        var driverText = Found(() => $"CUDA {CudaDriver.Named((driver = CudaDriver.Open(driverLibrary)).Version)}");
        var compilerText = Found(() =>
        {
            var compiler = Nvrtc.Open(compilers);
            return driver?.Lacks(compiler.Version) ?? $"NVRTC {CudaDriver.Named(compiler.Version)}, sm_{compiler.Architectures[0]} to sm_{compiler.Architectures[^1]}";
        });
        return new(driverText, driver is null ? [] : [.. Enumerable.Range(0, driver.DeviceCount).Select(ordinal => Found(() => Described(driver, ordinal)))], compilerText);
    }

    private static string Described(CudaDriver driver, int ordinal)
    {
        using CudaDevice device = new(driver, ordinal);
        device.Activate();
        var (free, total) = device.Memory();
        return FormattableString.Invariant(
            $"{device.Name}, compute capability {device.Capability}, {device.Multiprocessors} multiprocessors, {free / 1e9:F1} of {total / 1e9:F1} GB free");
    }

    private static string Found(Func<string> look)
    {
        try
        {
            return look();
        }
        catch (CudaException e)
        {
            return e.Message;
        }
    }
}
