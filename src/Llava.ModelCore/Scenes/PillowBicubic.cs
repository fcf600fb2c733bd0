namespace Llava.ModelCore.Scenes;

/// <summary>
/// Pillow's antialiased bicubic filter on RGB bytes: a = −0.5, support scaled by the shrink factor, 22-bit fixed-point
/// weights, rounded to bytes after the horizontal pass.
/// </summary>
internal static class PillowBicubic
{
    private const int Precision = 22;

    public static byte[] Resize(ReadOnlySpan<byte> rgb, int width, int height, int newWidth, int newHeight)
    {
        var narrow = new byte[newWidth * height * 3];
        var columns = Taps(width, newWidth);
        for (var y = 0; y < height; y++)
        {
            var row = rgb.Slice(y * width * 3, width * 3);
            for (var x = 0; x < newWidth; x++)
            {
                var (first, weights) = columns[x];
                int r = 1 << (Precision - 1), g = r, b = r, at = first * 3;
                foreach (var weight in weights)
                {
                    r += row[at] * weight;
                    g += row[at + 1] * weight;
                    b += row[at + 2] * weight;
                    at += 3;
                }

                var to = ((y * newWidth) + x) * 3;
                (narrow[to], narrow[to + 1], narrow[to + 2]) = (Clipped(r), Clipped(g), Clipped(b));
            }
        }

        return Shorten(narrow, newWidth * 3, height, newHeight);
    }

    private static byte[] Shorten(byte[] rows, int stride, int height, int newHeight)
    {
        var result = new byte[newHeight * stride];
        var sums = new int[stride];
        var taps = Taps(height, newHeight);
        for (var y = 0; y < newHeight; y++)
        {
            Array.Fill(sums, 1 << (Precision - 1));
            var (first, weights) = taps[y];
            for (var i = 0; i < weights.Length; i++)
            {
                var row = rows.AsSpan((first + i) * stride, stride);
                for (var x = 0; x < stride; x++)
                {
                    sums[x] += row[x] * weights[i];
                }
            }

            for (var x = 0; x < stride; x++)
            {
                result[(y * stride) + x] = Clipped(sums[x]);
            }
        }

        return result;
    }

    private static (int First, int[] Weights)[] Taps(int size, int newSize)
    {
        var scale = (double)size / newSize;
        var stretch = Math.Max(scale, 1);
        return [.. Enumerable.Range(0, newSize).Select(i => TapsAt((i + 0.5) * scale, stretch, size))];
    }

    private static (int First, int[] Weights) TapsAt(double center, double stretch, int size)
    {
        var first = Math.Max((int)(center - (2 * stretch) + 0.5), 0);
        var count = Math.Min((int)(center + (2 * stretch) + 0.5), size) - first;
        var weights = Enumerable.Range(first, count).Select(i => Cubic((i - center + 0.5) / stretch)).ToArray();
        var sum = weights.Sum();
        return (first, [.. weights.Select(w => (int)((w < 0 ? -0.5 : 0.5) + (w / sum * (1 << Precision))))]);
    }

    private static double Cubic(double x)
    {
        const double a = -0.5;
        x = Math.Abs(x);
        return x < 1 ? ((((a + 2) * x) - (a + 3)) * x * x) + 1
            : x < 2 ? ((((x - 5) * x) + 8) * x - 4) * a
            : 0;
    }

    private static byte Clipped(int value) => (byte)Math.Clamp(value >> Precision, 0, 255);
}
