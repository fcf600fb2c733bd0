using System.Runtime.InteropServices;
using Llava.ModelCore.Kernels;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

/// <summary>Memory of the emulated device between two fences of NaNs: what is read beyond it spoils the result, what is written beyond it is found.</summary>
internal sealed unsafe class DeviceMemory<T> : IDisposable
    where T : unmanaged
{
    private const int Fence = 256;
    private const byte Marker = 0xFF;

    private readonly byte* _block;

    public DeviceMemory(int length)
    {
        Length = length;
        _block = (byte*)NativeMemory.AlignedAlloc((nuint)(Bytes + (2 * Fence)), 64);
        new Span<byte>(_block, Bytes + (2 * Fence)).Fill(Marker);
    }

    public DeviceMemory(ReadOnlySpan<T> values)
        : this(values.Length) => values.CopyTo(Span);

    public int Length { get; }

    public Span<T> Span => new(_block + Fence, Length);

    private int Bytes => Length * sizeof(T);

    public static implicit operator nint(DeviceMemory<T> memory) => (nint)(memory._block + Fence);

    public void Clear() => new Span<byte>(_block + Fence, Bytes).Fill(Marker);

    public T[] ToArray() => Span.ToArray();

    public void ThrowIfTouchedOutside()
    {
        Assert.Equal(-1, new ReadOnlySpan<byte>(_block, Fence).IndexOfAnyExcept(Marker));
        Assert.Equal(-1, new ReadOnlySpan<byte>(_block + Fence + Bytes, Fence).IndexOfAnyExcept(Marker));
    }

    public void Dispose() => NativeMemory.AlignedFree(_block);
}

/// <summary>Numbers as the device has them.</summary>
internal static class DeviceNumbers
{
    public static DeviceMemory<ushort> Half(ReadOnlySpan<float> values)
    {
        DeviceMemory<ushort> memory = new(values.Length);
        for (var i = 0; i < values.Length; i++)
        {
            memory.Span[i] = BFloat16Bits.FromSingle(values[i]);
        }

        return memory;
    }

    /// <summary>As bfloat16 keeps it.</summary>
    public static float Rounded(double value) => BFloat16Bits.ToSingle(BFloat16Bits.FromSingle((float)value));

    /// <summary>All are what they should be, give or take a rounding or two of bfloat16.</summary>
    public static void AssertClose(ReadOnlySpan<double> expected, ReadOnlySpan<ushort> actual, string what, double smallest = 1e-30)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            var number = BFloat16Bits.ToSingle(actual[i]);
            Assert.True(
                double.IsNaN(expected[i]) ? float.IsNaN(number) : Math.Abs(number - expected[i]) <= (Math.Abs(expected[i]) / 100) + smallest,
                $"{what}: number {i} is {number} instead of {expected[i]}");
        }
    }
}
