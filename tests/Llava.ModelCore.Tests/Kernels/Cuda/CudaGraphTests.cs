using System.Runtime.InteropServices;
using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native.Cuda;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

public sealed unsafe class CudaGraphTests : IDisposable
{
    private const nint Stream = 5;

    private readonly EmulatedDevice _device = new();
    private readonly DeviceMemory<ushort> _numbers = new(8);
    private readonly DeviceMemory<float> _wide = new(8);

    private static int Alive => ((delegate* unmanaged<int>)NativeLibrary.GetExport(NativeLibrary.Load(EmulatedDevice.Library), "emulator_graphs"))();

    public void Dispose()
    {
        _numbers.Dispose();
        _wide.Dispose();
        _device.Dispose();
    }

    [Fact]
    public void What_is_recorded_is_done_at_every_launch_with_the_numbers_of_then()
    {
        Write(1);
        _wide.Clear();
        using (var graph = CudaGraph.Capture(_device.Driver, Stream, Widen))
        {
            Assert.All(_wide.ToArray(), number => Assert.True(float.IsNaN(number)));
            foreach (var number in (float[])[3, 7])
            {
                Write(number);
                graph.Launch(Stream);
                Assert.All(_wide.ToArray(), wide => Assert.Equal(number, wide));
            }
        }

        Assert.Equal(0, Alive);
    }

    [Fact]
    public void Work_that_fails_or_is_refused_leaves_nothing_behind_and_the_stream_as_it_was()
    {
        Assert.Throws<InvalidOperationException>(() => CudaGraph.Capture(_device.Driver, Stream, () =>
        {
            Widen();
            throw new InvalidOperationException();
        }));
        using CudaModule module = new(_device.Driver, "fine\0"u8, "elements");
        Assert.Throws<CudaException>(() => CudaGraph.Capture(_device.Driver, Stream, () => module["widen_numbers"].Launch(new LaunchShape(1, 2048), Stream)));
        var swallowed = Assert.Throws<CudaException>(() => CudaGraph.Capture(_device.Driver, Stream, () => Assert.Throws<CudaException>(() => module["widen_numbers"].Launch(new LaunchShape(1, 2048), Stream))));
        Assert.StartsWith("Cannot record a graph: operation failed due to a previous error during capture", swallowed.Message, StringComparison.Ordinal);
        Assert.Contains("not permitted", Assert.Throws<CudaException>(() => CudaGraph.Capture(_device.Driver, 0, Widen)).Message, StringComparison.Ordinal);
        Assert.Equal(0, Alive);

        Write(2);
        Widen();
        Assert.All(_wide.ToArray(), wide => Assert.Equal(2, wide));
    }

    private void Write(float number) => _numbers.Span.Fill(BFloat16Bits.FromSingle(number));

    private void Widen()
    {
        _device.Kernels.Stream = Stream;
        ElementKernels.Widen(_device.Kernels, _numbers, _wide, 8);
    }
}
