using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native.Cuda;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

public sealed class CudaDriverTests
{
    [Fact]
    public void No_driver_is_one_sentence_with_what_to_do()
    {
        var failure = Assert.Throws<CudaException>(() => CudaDriver.Open("libcuda-of-nowhere.so"));
        Assert.Contains("'libcuda-of-nowhere.so'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("or use the CPU", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.IsRetryable);
    }

    [Fact]
    public void A_library_without_the_functions_is_too_old_a_driver()
    {
        var failure = Assert.Throws<CudaException>(() => CudaDriver.Open("libc.so.6"));
        Assert.Contains("'cuInit'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("too old", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_says_what_it_is()
    {
        var driver = CudaDriver.Open(EmulatedDevice.Library);
        using CudaDevice device = new(driver, 0);
        device.Activate();
        Assert.Equal((12040, 1, "Emulated device", new ComputeCapability(8, 9), 3), (driver.Version, driver.DeviceCount, device.Name, device.Capability, device.Multiprocessors));
        Assert.Equal((3L << 30, 5L << 30), device.Memory());
        Assert.Throws<CudaException>(() => new CudaDevice(driver, 1));
    }

    [Theory]
    [InlineData(12080, false)]
    [InlineData(11080, false)]
    [InlineData(13000, true)]
    public void Libraries_of_a_later_major_version_need_another_driver(int needed, bool lacks)
    {
        var finding = CudaDriver.Open(EmulatedDevice.Library).Lacks(needed);
        Assert.Equal(lacks, finding is not null);
        Assert.Equal(lacks, finding?.Contains("CUDA 12.4 at most, and these libraries are for CUDA 13.0", StringComparison.Ordinal) ?? false);
    }

    [Fact]
    public void An_image_and_a_kernel_that_the_driver_refuses_are_named_with_its_own_words()
    {
        using EmulatedDevice device = new();
        var image = Assert.Throws<CudaException>(() => new CudaModule(device.Driver, "BROKEN\0"u8, "norm"));
        Assert.Equal("Cannot load the kernels 'norm': device kernel image is invalid (CUDA error 200). 'llava doctor' tells what this machine has.", image.Message);
        using CudaModule module = new(device.Driver, "fine\0"u8, "norm");
        Assert.Contains("'no_such_kernel' in 'norm'", Assert.Throws<CudaException>(() => module["no_such_kernel"]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_kernel_that_fails_is_a_failure_of_its_launch_and_no_block_is_no_launch()
    {
        using EmulatedDevice device = new();
        using DeviceMemory<ushort> memory = new(16);
        var failure = Assert.Throws<CudaException>(() => ElementKernels.GatedActivation(device.Kernels, (nint)memory + 2, memory, 1, 8));
        Assert.Contains("an address is not aligned", failure.Message, StringComparison.Ordinal);
        using CudaModule module = new(device.Driver, "fine\0"u8, "norm");
        Assert.Throws<CudaException>(() => module["add_rms_norm"].Launch(new LaunchShape(1, 2048), 0));
        module["add_rms_norm"].Launch(new LaunchShape(0, 256), 0);
    }

    [Fact]
    public void All_kernels_load_before_the_first_is_launched()
    {
        using EmulatedDevice device = new();
        device.Kernels.LoadAll();
    }

    [Fact]
    public void Launches_make_no_garbage()
    {
        using EmulatedDevice device = new();
        using DeviceMemory<ushort> merged = new(new ushort[16]), output = new(8);
        ElementKernels.GatedActivation(device.Kernels, merged, output, 1, 8);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20; i++)
        {
            ElementKernels.GatedActivation(device.Kernels, merged, output, 1, 8);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Events_tell_the_time_between_them()
    {
        using EmulatedDevice device = new();
        using CudaEvent start = new(device.Driver), end = new(device.Driver);
        Assert.False(start.IsReached);
        start.Record(0);
        end.Record(0);
        end.Wait();
        Assert.True(start.IsReached);
        Assert.InRange(end.Since(start), TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(100));
    }
}
