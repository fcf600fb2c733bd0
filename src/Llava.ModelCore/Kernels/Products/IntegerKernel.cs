using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Products;

/// <summary>
/// Multiplies an integer panel with a tile of tokens. All kernels give the same bits: dot products of a group are exact, and for each output
/// the groups of a block are added in order, each as fma(sum, weight scale · token scale, total). So neither the kernel nor the tokens that share a tile can
/// change an answer.
/// </summary>
internal abstract class IntegerKernel
{
    /// <summary>Which this is.</summary>
    public abstract KernelKind Kind { get; }

    /// <summary>Tokens of the largest tile.</summary>
    public abstract int MostTokens { get; }

    /// <summary>Computes the outputs of 32 rows for up to <see cref="MostTokens"/> tokens.</summary>
    /// <param name="tile">Where everything lies.</param>
    /// <param name="format">Int8, Int4 or Int16.</param>
    /// <param name="tokens">Tokens of the tile.</param>
    /// <param name="adds">Whether the products are added to what the output holds.</param>
    public abstract void Multiply(in Tile tile, WeightFormat format, int tokens, bool adds);
}

/// <summary>The kernels there are, from the fastest.</summary>
public enum KernelKind
{
    /// <summary>The fastest that this machine can run.</summary>
    Auto,

    /// <summary>AVX-512 VNNI, assembled at run time: .NET has no intrinsics for it.</summary>
    Assembled,

    /// <summary>AVX-VNNI intrinsics.</summary>
    AvxVnni,

    /// <summary>AVX2 intrinsics.</summary>
    Avx2,

    /// <summary>Portable vectors, on any processor.</summary>
    Portable,
}
