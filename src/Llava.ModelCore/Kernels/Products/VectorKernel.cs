using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Products;

/// <summary>The kernel in vectors of 256 bits, for any way to make a dot product.</summary>
internal sealed class VectorKernel<TDot> : IntegerKernel
    where TDot : struct, IDotProduct
{
    /// <inheritdoc/>
    public override KernelKind Kind => TDot.Kind;

    /// <inheritdoc/>
    public override int MostTokens => VectorTile<TDot>.Abreast;

    /// <inheritdoc/>
    public override void Multiply(in Tile tile, WeightFormat format, int tokens, bool adds)
    {
        if (format == WeightFormat.Int16)
        {
            VectorTile<WordDotProduct<TDot>>.Multiply(tile, format, tokens, adds);
        }
        else
        {
            VectorTile<TDot>.Multiply(tile, format, tokens, adds);
        }
    }
}
