using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Llava.ModelCore.Imaging;

/// <summary>
/// Pillow's antialiased bicubic resize, bit for bit: rows first, then columns, each with fixed-point weights over a support that grows
/// with the shrink factor, and rounding to 8 bits in between. Only the window that is asked for is computed.
/// </summary>
internal static class BicubicResize
{
    private const int Channels = RgbImage.Channels;
    private const int Half = 1 << (ResizeWeights.FractionBits - 1);

    /// <summary>A window of the resized image.</summary>
    /// <param name="image">The image to resize.</param>
    /// <param name="columns">Weights of the window's columns.</param>
    /// <param name="rows">Weights of the window's rows.</param>
    public static RgbImage Resize(PaddedImage image, ResizeWeights columns, ResizeWeights rows)
    {
        var (width, height) = (columns.Starts.Length, rows.Starts.Length);
        var stride = width * Channels;
        var firstRow = rows.Starts[0];
        var usedRows = rows.Starts[^1] + rows.Counts[^1] - firstRow;
        var narrow = ArrayPool<byte>.Shared.Rent(usedRows * stride);
        var backgroundRow = image.BackgroundRow();
        var touched = columns.Touching(image.Left, image.Left + image.Image.Width);
        for (var y = 0; y < usedRows; y++)
        {
            // Weights add up to 1, so what is made of background only keeps its colour.
            var target = narrow.AsSpan(y * stride, stride);
            image.Fill(target);
            if (!image.IsBackground(firstRow + y))
            {
                ResizeRow(image.Row(firstRow + y, backgroundRow), columns, touched, target);
            }
        }

        var pixels = new byte[height * stride];
        var sums = new int[stride];
        for (var y = 0; y < height; y++)
        {
            Array.Fill(sums, Half);
            var weights = rows.Of(y);
            for (var tap = 0; tap < weights.Length; tap++)
            {
                MultiplyAdd(narrow.AsSpan((rows.Starts[y] - firstRow + tap) * stride, stride), weights[tap], sums);
            }

            Round(sums, pixels.AsSpan(y * stride, stride));
        }

        ArrayPool<byte>.Shared.Return(narrow);
        return new RgbImage(width, height, pixels);
    }

    private static void ResizeRow(ReadOnlySpan<byte> row, ResizeWeights columns, (int First, int End) range, Span<byte> target)
    {
        for (var x = range.First; x < range.End; x++)
        {
            var weights = columns.Of(x);
            var source = columns.Starts[x] * Channels;
            var sum = Vector128.Create(Half);
            for (var tap = 0; tap < weights.Length; tap++, source += Channels)
            {
                sum += ReadPixel(row, source) * weights[tap];
            }

            for (var channel = 0; channel < Channels; channel++)
            {
                target[(x * Channels) + channel] = Clip(sum[channel]);
            }
        }
    }

    // Four bytes are read at once where there are four; the last lane is never looked at.
    private static Vector128<int> ReadPixel(ReadOnlySpan<byte> row, int start)
    {
        var bytes = start + sizeof(uint) <= row.Length
            ? MemoryMarshal.Read<uint>(row[start..])
            : (uint)(row[start] | (row[start + 1] << 8) | (row[start + 2] << 16));
        return Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalar(bytes).AsByte())).AsInt32();
    }

    private static void MultiplyAdd(ReadOnlySpan<byte> row, int weight, Span<int> sums)
    {
        var x = 0;
        for (; x + Vector128<byte>.Count <= row.Length; x += Vector128<byte>.Count)
        {
            var (low, high) = Vector128.Widen(Vector128.Create(row.Slice(x, Vector128<byte>.Count)));
            var (first, second) = Vector128.Widen(low);
            var (third, fourth) = Vector128.Widen(high);
            AddTo(sums.Slice(x, 4), first.AsInt32() * weight);
            AddTo(sums.Slice(x + 4, 4), second.AsInt32() * weight);
            AddTo(sums.Slice(x + 8, 4), third.AsInt32() * weight);
            AddTo(sums.Slice(x + 12, 4), fourth.AsInt32() * weight);
        }

        for (; x < row.Length; x++)
        {
            sums[x] += row[x] * weight;
        }
    }

    private static void AddTo(Span<int> sums, Vector128<int> products) => (Vector128.Create<int>(sums) + products).CopyTo(sums);

    private static void Round(ReadOnlySpan<int> sums, Span<byte> target)
    {
        for (var x = 0; x < sums.Length; x++)
        {
            target[x] = Clip(sums[x]);
        }
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> ResizeWeights.FractionBits, 0, byte.MaxValue);
}
