using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Products;

/// <summary>
/// Multiplies a float panel with a tile of tokens in float32. For each output the columns are added in order, each as fma(weight, token, total),
/// so the tokens that share a tile cannot change an answer.
/// </summary>
internal static unsafe class FloatKernel
{
    /// <summary>Tokens of the largest tile.</summary>
    public const int MostTokens = 4;

    /// <summary>Computes the outputs of 32 rows.</summary>
    /// <param name="panel">First column's line.</param>
    /// <param name="format">Float32, BFloat16 or Float16.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="tokens">First token's columns.</param>
    /// <param name="tokenStride">Floats between tokens.</param>
    /// <param name="count">Tokens of the tile.</param>
    /// <param name="output">First token's output.</param>
    /// <param name="outputStride">Floats between tokens of the output.</param>
    /// <param name="adds">Whether the products are added to what the output holds.</param>
    public static void Multiply(
        byte* panel, WeightFormat format, int columns, float* tokens, long tokenStride, int count, float* output, long outputStride, bool adds)
    {
        switch (format)
        {
            case WeightFormat.Float32:
                Multiply<SingleElement>(panel, columns, tokens, tokenStride, count, output, outputStride, adds);
                break;
            case WeightFormat.BFloat16:
                Multiply<BFloat16Element>(panel, columns, tokens, tokenStride, count, output, outputStride, adds);
                break;
            default:
                Multiply<HalfElement>(panel, columns, tokens, tokenStride, count, output, outputStride, adds);
                break;
        }
    }

    private static void Multiply<T>(byte* panel, int columns, float* tokens, long tokenStride, int count, float* output, long outputStride, bool adds)
        where T : struct, IFloatElement
    {
        if (count == MostTokens)
        {
            MultiplyFour<T>(panel, columns, tokens, tokenStride, output, outputStride, adds);
            return;
        }

        for (var token = 0; token < count; token++)
        {
            MultiplyOne<T>(panel, columns, tokens + (token * tokenStride), output + (token * outputStride), adds);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyOne<T>(byte* panel, int columns, float* token, float* output, bool adds)
        where T : struct, IFloatElement
    {
        var (low, high) = (Vector512<float>.Zero, Vector512<float>.Zero);
        for (var k = 0; k < columns; k++)
        {
            var x = Vector512.Create(token[k]);
            low = Vector512.FusedMultiplyAdd(T.Load(panel), x, low);
            high = Vector512.FusedMultiplyAdd(T.Load(panel + (Panel.Lanes * T.Bytes)), x, high);
            panel += Panel.Rows * T.Bytes;
        }

        Store(output, low, high, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyFour<T>(byte* panel, int columns, float* token, long stride, float* output, long outputStride, bool adds)
        where T : struct, IFloatElement
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
        var (x0, x1, x2, x3) = ((nint)token, (nint)(token + stride), (nint)(token + (2 * stride)), (nint)(token + (3 * stride)));
        for (var k = 0; k < columns; k++)
        {
            var (low, high) = (T.Load(panel), T.Load(panel + (Panel.Lanes * T.Bytes)));
            var x = Vector512.Create(((float*)x0)[k]);
            (a0, b0) = (Vector512.FusedMultiplyAdd(low, x, a0), Vector512.FusedMultiplyAdd(high, x, b0));
            x = Vector512.Create(((float*)x1)[k]);
            (a1, b1) = (Vector512.FusedMultiplyAdd(low, x, a1), Vector512.FusedMultiplyAdd(high, x, b1));
            x = Vector512.Create(((float*)x2)[k]);
            (a2, b2) = (Vector512.FusedMultiplyAdd(low, x, a2), Vector512.FusedMultiplyAdd(high, x, b2));
            x = Vector512.Create(((float*)x3)[k]);
            (a3, b3) = (Vector512.FusedMultiplyAdd(low, x, a3), Vector512.FusedMultiplyAdd(high, x, b3));
            panel += Panel.Rows * T.Bytes;
        }

        Store(output, a0, b0, adds);
        Store(output + outputStride, a1, b1, adds);
        Store(output + (2 * outputStride), a2, b2, adds);
        Store(output + (3 * outputStride), a3, b3, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* output, Vector512<float> low, Vector512<float> high, bool adds)
    {
        (adds ? Vector512.Load(output) + low : low).Store(output);
        (adds ? Vector512.Load(output + Panel.Lanes) + high : high).Store(output + Panel.Lanes);
    }
}
