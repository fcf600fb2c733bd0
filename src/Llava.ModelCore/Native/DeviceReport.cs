using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace Llava.ModelCore.Native;

/// <summary>The hardware libtorch can use here.</summary>
/// <param name="TorchVersion">Version of the loaded libtorch.</param>
/// <param name="Threads">CPU threads libtorch uses for one operation.</param>
/// <param name="CpuFeatures">Vector extensions of this CPU that matter for inference.</param>
/// <param name="CudaDevices">CUDA devices; 0 on a CPU build of libtorch.</param>
public sealed record DeviceReport(string TorchVersion, int Threads, IReadOnlyList<string> CpuFeatures, int CudaDevices)
{
    /// <summary>Loads libtorch and asks it.</summary>
    /// <exception cref="TorchLibraryException">libtorch cannot be loaded.</exception>
    public static DeviceReport Take()
    {
        TorchLibrary.EnsureLoaded();
        return new DeviceReport(torch.__version__, torch.get_num_threads(), [.. Features()], torch.cuda.is_available() ? torch.cuda.device_count() : 0);
    }

    private static IEnumerable<string> Features()
    {
        if (Avx2.IsSupported)
        {
            yield return "AVX2";
        }

        if (AvxVnni.IsSupported)
        {
            yield return "AVX-VNNI";
        }

        if (Avx512BW.IsSupported)
        {
            yield return "AVX-512";
        }

        if (Avx10v1.IsSupported)
        {
            yield return "AVX10.1";
        }
    }
}
