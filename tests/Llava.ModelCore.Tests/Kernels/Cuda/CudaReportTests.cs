using Llava.ModelCore.Native.Cuda;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

public sealed class CudaReportTests
{
    [Fact]
    public void A_machine_with_everything_is_described()
    {
        var report = CudaReport.Take(EmulatedDevice.Library, [EmulatedDevice.Library]);
        Assert.Equal("CUDA 12.4", report.Driver);
        Assert.Equal(["Emulated device, compute capability 8.9, 3 multiprocessors, 3.2 of 5.4 GB free"], report.Devices);
        Assert.Equal("NVRTC 12.4, sm_50 to sm_89", report.Compiler);
    }

    [Fact]
    public void A_machine_without_CUDA_is_told_what_to_do()
    {
        var report = CudaReport.Take("libcuda-of-nowhere.so", ["libnvrtc-of-nowhere.so"]);
        Assert.StartsWith("There is no NVIDIA driver here", report.Driver, StringComparison.Ordinal);
        Assert.StartsWith("The run-time compiler of CUDA is not here", report.Compiler, StringComparison.Ordinal);
        Assert.Empty(report.Devices);
    }
}
