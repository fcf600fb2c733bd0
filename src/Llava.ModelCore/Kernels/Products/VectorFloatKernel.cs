using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Products;

/// <summary>The float kernel in portable vectors, on any processor.</summary>
internal sealed unsafe class VectorFloatKernel : FloatKernel
{
    private const int Abreast = 4;

    /// <inheritdoc/>
    public override int MostTokens => Abreast;

    /// <inheritdoc/>
    public override void Multiply(in FloatTile tile, WeightFormat format, int tokens, bool adds)
    {
        switch (format)
        {
            case WeightFormat.Float32:
                Multiply<SingleElement>(tile, tokens, adds);
                break;
            case WeightFormat.BFloat16:
                Multiply<BFloat16Element>(tile, tokens, adds);
                break;
            default:
                Multiply<HalfElement>(tile, tokens, adds);
                break;
        }
    }

    private static void Multiply<T>(in FloatTile tile, int tokens, bool adds)
        where T : struct, IFloatElement
    {
        var (stride, outputStride) = (tile.TokenStride / sizeof(float), tile.OutputStride / sizeof(float));
        if (tokens == Abreast)
        {
            MultiplyFour<T>(tile.Weights, tile.Columns, tile.Tokens, stride, tile.Output, outputStride, adds);
            return;
        }

        for (var token = 0; token < tokens; token++)
        {
            MultiplyOne<T>(tile.Weights, tile.Columns, tile.Tokens + (token * stride), tile.Output + (token * outputStride), adds);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyOne<T>(byte* panel, long columns, float* token, float* output, bool adds)
        where T : struct, IFloatElement
    {
        var (low, high) = (Vector512<float>.Zero, Vector512<float>.Zero);
        for (var k = 0L; k < columns; k++)
        {
            var x = Vector512.Create(token[k]);
            low = Vector512.FusedMultiplyAdd(T.Load(panel), x, low);
            high = Vector512.FusedMultiplyAdd(T.Load(panel + (Panel.Lanes * T.Bytes)), x, high);
            panel += Panel.Rows * T.Bytes;
        }

        Store(output, low, high, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyFour<T>(byte* panel, long columns, float* token, long stride, float* output, long outputStride, bool adds)
        where T : struct, IFloatElement
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
        var (x0, x1, x2, x3) = ((nint)token, (nint)(token + stride), (nint)(token + (2 * stride)), (nint)(token + (3 * stride)));
        for (var k = 0L; k < columns; k++)
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
