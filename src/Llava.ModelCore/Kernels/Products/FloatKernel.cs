using Llava.ModelCore.Kernels.Assembly;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Products;

/// <summary>
/// Multiplies a float panel with a tile of tokens in float32. For each output the columns of a block are added in order, each as fma(weight, token, total),
/// so neither the kernel nor the tokens that share a tile can change an answer.
/// </summary>
internal abstract class FloatKernel
{
    private static readonly VectorFloatKernel Vectors = new();

    private static readonly Lazy<AssembledFloatKernel?> Assembled = new(AssembledFloatKernel.TryCreate);

    /// <summary>Tokens of the largest tile.</summary>
    public abstract int MostTokens { get; }

    /// <summary>The float kernel beside an integer kernel.</summary>
    public static FloatKernel Beside(KernelKind kind) => kind == KernelKind.Assembled && Assembled.Value is { } assembled ? assembled : Vectors;

    /// <summary>Computes the outputs of 32 rows for up to <see cref="MostTokens"/> tokens.</summary>
    /// <param name="tile">Where everything lies.</param>
    /// <param name="format">Float32, BFloat16 or Float16.</param>
    /// <param name="tokens">Tokens of the tile.</param>
    /// <param name="adds">Whether the products are added to what the output holds.</param>
    public abstract void Multiply(in FloatTile tile, WeightFormat format, int tokens, bool adds);
}
