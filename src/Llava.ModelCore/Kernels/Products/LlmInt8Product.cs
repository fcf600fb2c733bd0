using System.Numerics;
using System.Runtime.Intrinsics;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Products;

/// <summary>
/// The end of a product of LLM.int8(): y = (Σ integers · the token's scale + Σ x·level over the columns that stand apart) · the row's scale. Both sums are
/// of numbers that float32 has exactly, up to 2²⁴ the first.
/// </summary>
internal static unsafe class LlmInt8Product
{
    /// <summary>Scales the sums of a panel and adds what stands apart.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="columns">Columns of the matrix.</param>
    /// <param name="sums">(count, 32): the integers' sums.</param>
    /// <param name="rounded">How the tokens were rounded.</param>
    /// <param name="tokens">What they were before.</param>
    /// <param name="first">First token.</param>
    /// <param name="count">Tokens.</param>
    /// <param name="output">The first token's output of the panel's first row.</param>
    /// <param name="adds">Whether the products are added to what the output holds.</param>
    public static void Finish(byte* panel, int columns, Rows sums, LlmInt8Rows rounded, Rows tokens, int first, int count, Rows output, bool adds)
    {
        var scales = (float*)(panel + Panel.RowScalesOffset(columns));
        for (var i = 0; i < count; i++)
        {
            var scale = Vector512.Create(rounded.ScaleOf(first + i));
            var (low, high) = (Vector512.Load(sums.At(i)) * scale, Vector512.Load(sums.At(i) + Panel.Lanes) * scale);
            var apart = rounded.ApartOf(first + i);
            var x = tokens.At(first + i);
            for (var group = 0; group < Panel.Groups(columns); group++)
            {
                for (var bits = apart[group]; bits != 0; bits &= bits - 1)
                {
                    var k = BitOperations.TrailingZeroCount(bits);
                    var value = Vector512.Create(x[(group * Panel.Group) + k]);
                    var record = panel + ((long)group * Panel.RecordBytes(WeightFormat.LlmInt8));
                    low = Vector512.FusedMultiplyAdd(Levels(record, k), value, low);
                    high = Vector512.FusedMultiplyAdd(Levels(record + Panel.BlockBytes(WeightFormat.LlmInt8), k), value, high);
                }
            }

            Store(output.At(i), low * Vector512.Load(scales), adds);
            Store(output.At(i) + Panel.Lanes, high * Vector512.Load(scales + Panel.Lanes), adds);
        }
    }

    /// <summary>A column of sixteen rows.</summary>
    private static Vector512<float> Levels(byte* block, int k)
    {
        var step = Vector512.Load((uint*)(block + (k / Panel.Step * Panel.Lanes * Panel.Step)));
        var levels = (Vector512.ShiftRightLogical(step, k % Panel.Step * 8) & Vector512.Create(0xFFu)).AsInt32() - Vector512.Create(Panel.Bias(WeightFormat.LlmInt8));
        return Vector512.ConvertToSingle(levels);
    }

    private static void Store(float* output, Vector512<float> values, bool adds) => (adds ? Vector512.Load(output) + values : values).Store(output);
}
