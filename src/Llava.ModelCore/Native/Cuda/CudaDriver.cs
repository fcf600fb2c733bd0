using System.Runtime.InteropServices;

namespace Llava.ModelCore.Native.Cuda;

/// <summary>The driver API of CUDA (<c>libcuda</c>), which comes with the NVIDIA driver and needs no toolkit. Loaded when it is first asked for.</summary>
internal sealed unsafe class CudaDriver
{
    private const int Success = 0;
    private const int NoDevice = 100;

    private CudaDriver(CudaFunctions functions, int version) => (Functions, Version) = (functions, version);

    /// <summary>Name of the driver's library on this system.</summary>
    public static string Library => OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";

    public CudaFunctions Functions { get; }

    /// <summary>The newest CUDA that the driver serves: 13000 is 13.0.</summary>
    public int Version { get; }

    /// <summary>Devices that this process may use.</summary>
    public int DeviceCount
    {
        get
        {
            int count;
            Check(Functions.DeviceGetCount(&count), "count the devices");
            return count;
        }
    }

    /// <summary>Loads and initializes the driver.</summary>
    /// <param name="library">Another library than the system's; null for that.</param>
    /// <exception cref="CudaException">There is none, it is too old, or it finds no device; the message says what to do.</exception>
    public static CudaDriver Open(string? library = null)
    {
        library ??= Library;
        if (!NativeLibrary.TryLoad(library, out var handle))
        {
            throw new CudaException($"There is no NVIDIA driver here: '{library}' cannot be loaded. Install the driver, in a container start it with '--gpus all', or use the CPU.");
        }

        CudaFunctions functions = new(handle);
        var result = functions.Init(0);
        if (result == NoDevice)
        {
            throw new CudaException("The NVIDIA driver finds no device. See what 'nvidia-smi' says and whether CUDA_VISIBLE_DEVICES hides it, or use the CPU.");
        }

        Check(functions, result, "initialize the NVIDIA driver");
        int version;
        Check(functions, functions.DriverGetVersion(&version), "ask for the driver's version");
        return new CudaDriver(functions, version);
    }

    /// <summary>Why this driver cannot run programs of a CUDA version; null when it can. Programs run on any driver of their major version or a later one.</summary>
    /// <param name="needed">Version of the libraries or of the compiler, such as 13000.</param>
    public string? Lacks(int needed) => Version / 1000 >= needed / 1000
        ? null
        : $"The NVIDIA driver serves CUDA {Named(Version)} at most, and these libraries are for CUDA {Named(needed)}: update the driver, or take a PyTorch for CUDA {Version / 1000}.";

    /// <summary>13020 → 13.2.</summary>
    public static string Named(int version) => FormattableString.Invariant($"{version / 1000}.{version % 1000 / 10}");

    /// <summary>Throws when a call failed.</summary>
    /// <param name="result">What it returned.</param>
    /// <param name="action">What it was to do, as in "cannot …".</param>
    /// <exception cref="CudaException">It failed; the message has the driver's own words.</exception>
    public void Check(int result, string action) => Check(Functions, result, action);

    private static void Check(in CudaFunctions functions, int result, string action)
    {
        if (result == Success)
        {
            return;
        }

        byte* text = null;
        var said = functions.GetErrorString(result, &text) == Success ? Marshal.PtrToStringUTF8((nint)text) : "unknown error";
        throw new CudaException($"Cannot {action}: {said} (CUDA error {result}). 'llava doctor' tells what this machine has.");
    }
}
