using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Tests.Kernels;

/// <summary>What a product of integers has to be, one number after the other: the definition that every kernel is held to, bit by bit.</summary>
internal static class ScalarProduct
{
    /// <summary>x·Wᵀ: (tokens, rows).</summary>
    public static float[] Of(float[] weights, float[] x, int rows, int columns, int tokens, WeightFormat format)
    {
        var output = new float[tokens * rows];
        var levels = new short[Panel.Group];
        var total = new float[tokens];
        for (var row = 0; row < rows; row++)
        {
            for (var group = 0; group * Panel.Group < columns; group++)
            {
                var count = Math.Min(Panel.Group, columns - (group * Panel.Group));
                var scale = BFloat16Bits.ToSingle(GroupRounding.Round(weights.AsSpan((row * columns) + (group * Panel.Group), count), format, levels));
                for (var token = 0; token < tokens; token++)
                {
                    var (integers, tokenScale) = Rounded(x.AsSpan((token * columns) + (group * Panel.Group), count), format);
                    var sum = 0;
                    for (var k = 0; k < count; k++)
                    {
                        sum += levels[k] * integers[k];
                    }

                    total[token] = MathF.FusedMultiplyAdd(sum, scale * tokenScale, total[token]);
                }

                var end = (group + 1) * Panel.Group;
                if (end % Panel.BlockColumns(format) == 0 || end >= columns)
                {
                    AddBlock(total, output.AsSpan(row), rows, isFirst: end <= Panel.BlockColumns(format));
                }
            }
        }

        return output;
    }

    /// <summary>Adds a block's sums to the outputs, and begins the next.</summary>
    private static void AddBlock(float[] total, Span<float> output, int stride, bool isFirst)
    {
        for (var token = 0; token < total.Length; token++)
        {
            output[token * stride] = isFirst ? total[token] : total[token] + output[token * stride];
            total[token] = 0;
        }
    }

    private static (int[] Integers, float Scale) Rounded(ReadOnlySpan<float> group, WeightFormat format)
    {
        var largest = 0f;
        foreach (var value in group)
        {
            largest = MathF.Max(largest, MathF.Abs(value));
        }

        var integers = new int[group.Length];
        var (most, least) = format == WeightFormat.Int16 ? (8191, 1e-34f) : (127, 1e-36f);
        if (largest < least)
        {
            return (integers, 0);
        }

        for (var k = 0; k < group.Length; k++)
        {
            integers[k] = (int)MathF.Round(group[k] * (most / largest));
        }

        return (integers, largest / most);
    }
}
