using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Cuda;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

/// <summary>Numbers of eight bits by their definition.</summary>
internal static class E4m3
{
    /// <summary>What each code stands for.</summary>
    public static double[] Book { get; } = [.. Enumerable.Range(0, 256).Select(Number)];

    /// <summary>The code of the nearest number; of two that are as near the even one, and of numbers beyond all the largest.</summary>
    public static int Nearest(double number)
    {
        var magnitude = Math.Min(Math.Abs(number), Fp8Kernels.Largest);
        var below = Enumerable.Range(0, 0x7F).Last(code => Book[code] <= magnitude);
        var above = Math.Min(below + 1, 0x7E);
        var (down, up) = (magnitude - Book[below], Book[above] - magnitude);
        var code = down < up || (down == up && below % 2 == 0) ? below : above;
        return double.IsNegative(number) ? code | 0x80 : code;
    }

    /// <summary>Codes times their scale.</summary>
    public static double[] Numbers(ReadOnlySpan<byte> codes, float scale) => [.. codes.ToArray().Select(code => Book[code] * scale)];

    /// <summary>The scale makes the largest 448, and each code stands for one of the nearest numbers, give or take what the scale is rounded by.</summary>
    public static void AssertRounded(ReadOnlySpan<ushort> exact, ReadOnlySpan<byte> codes, float scale, string what)
    {
        double[] numbers = [.. exact.ToArray().Select(number => (double)BFloat16Bits.ToSingle(number))];
        Assert.Equal(Math.Max(numbers.Max(Math.Abs), 1e-30) / Fp8Kernels.Largest, scale, scale * 1e-6);
        for (var i = 0; i < codes.Length; i++)
        {
            var (share, nearest) = (numbers[i] / scale, Book[Nearest(numbers[i] / scale)]);
            Assert.True(Math.Abs(share - Book[codes[i]]) <= Math.Abs(share - nearest) + (1e-5 * Math.Abs(share)), $"{what}: number {i}, {numbers[i]}, became {Book[codes[i]] * scale}");
        }
    }

    private static double Number(int code)
    {
        var (exponent, mantissa) = (code >> 3 & 15, code & 7);
        var magnitude = (code & 0x7F) == 0x7F ? double.NaN : exponent == 0 ? mantissa * Math.Pow(2, -9) : (1 + (mantissa / 8.0)) * Math.Pow(2, exponent - 7);
        return code < 0x80 ? magnitude : -magnitude;
    }
}

/// <summary>Heads of an arena in eight bits, each with its scale.</summary>
internal sealed class RoundedHeads
{
    private readonly HeadShape _shape;

    /// <param name="exact">bfloat16 (positions, shared, size).</param>
    /// <param name="shape">Heads.</param>
    public RoundedHeads(DeviceMemory<ushort> exact, HeadShape shape)
    {
        _shape = shape;
        (Codes, Scales) = (new(exact.Length), new(exact.Length / shape.Size));
        for (var place = 0; place < Scales.Length; place++)
        {
            double[] head = [.. exact.Span.Slice(place * shape.Size, shape.Size).ToArray().Select(number => (double)BFloat16Bits.ToSingle(number))];
            var scale = Scales.Span[Scale(place)] = (float)(head.Max(Math.Abs) / Fp8Kernels.Largest);
            for (var i = 0; i < head.Length && scale > 0; i++)
            {
                Codes.Span[(place * shape.Size) + i] = (byte)E4m3.Nearest(head[i] / scale);
            }
        }
    }

    /// <summary>(positions, shared, size).</summary>
    public DeviceMemory<byte> Codes { get; }

    /// <summary>(shared, positions).</summary>
    public DeviceMemory<float> Scales { get; }

    /// <summary>What a head's codes stand for; <paramref name="place"/> counts positions and their heads.</summary>
    public double[] Head(int place) => E4m3.Numbers(Codes.Span.Slice(place * _shape.Size, _shape.Size), Scales.Span[Scale(place)]);

    private int Scale(int place) => (place % _shape.Shared * (Scales.Length / _shape.Shared)) + (place / _shape.Shared);
}
