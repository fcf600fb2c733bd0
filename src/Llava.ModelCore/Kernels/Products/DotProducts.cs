using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Llava.ModelCore.Kernels.Products;

/// <summary>Sums of four products of bytes, or of two of words, exact in 32 bits.</summary>
internal interface IDotProduct
{
    /// <summary>Which kernel it makes.</summary>
    static abstract KernelKind Kind { get; }

    /// <summary>For each of eight lanes: sum + Σ₄ weight·token.</summary>
    static abstract Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> tokens);

    /// <summary>For each of eight lanes: sum + Σ₂ weight·token.</summary>
    static abstract Vector256<int> AddWords(Vector256<int> sum, Vector256<short> weights, Vector256<short> tokens);
}

/// <summary>One instruction.</summary>
internal readonly struct AvxVnniDotProduct : IDotProduct
{
    public static KernelKind Kind => KernelKind.AvxVnni;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> tokens) => AvxVnni.MultiplyWideningAndAdd(sum, weights, tokens);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddWords(Vector256<int> sum, Vector256<short> weights, Vector256<short> tokens) => AvxVnni.MultiplyWideningAndAdd(sum, weights, tokens);
}

/// <summary>Even and odd bytes apart, in 16 bits: the instruction for bytes saturates.</summary>
internal readonly struct Avx2DotProduct : IDotProduct
{
    public static KernelKind Kind => KernelKind.Avx2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> tokens)
    {
        var (w, t) = (weights.AsInt16(), tokens.AsInt16());
        var even = Avx2.MultiplyAddAdjacent(Avx2.And(w, Vector256.Create((short)0xFF)), Avx2.ShiftRightArithmetic(Avx2.ShiftLeftLogical(t, 8), 8));
        var odd = Avx2.MultiplyAddAdjacent(Avx2.ShiftRightLogical(w, 8), Avx2.ShiftRightArithmetic(t, 8));
        return Avx2.Add(sum, Avx2.Add(even, odd));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddWords(Vector256<int> sum, Vector256<short> weights, Vector256<short> tokens) => Avx2.Add(sum, Avx2.MultiplyAddAdjacent(weights, tokens));
}

/// <summary>Words in the place of bytes: a step has as many bytes, and half as many columns.</summary>
internal readonly struct WordDotProduct<TDot> : IDotProduct
    where TDot : struct, IDotProduct
{
    public static KernelKind Kind => TDot.Kind;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> tokens) => TDot.AddWords(sum, weights.AsInt16(), tokens.AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddWords(Vector256<int> sum, Vector256<short> weights, Vector256<short> tokens) => TDot.AddWords(sum, weights, tokens);
}

/// <summary>Each byte in 32 bits.</summary>
internal readonly struct PortableDotProduct : IDotProduct
{
    public static KernelKind Kind => KernelKind.Portable;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> tokens)
    {
        var (w, t) = (weights.AsInt32(), tokens.AsInt32());
        var low = Vector256.Create(0xFF);
        sum += (w & low) * Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(t, 24), 24);
        sum += (Vector256.ShiftRightLogical(w, 8) & low) * Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(t, 16), 24);
        sum += (Vector256.ShiftRightLogical(w, 16) & low) * Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(t, 8), 24);
        return sum + (Vector256.ShiftRightLogical(w, 24) * Vector256.ShiftRightArithmetic(t, 24));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddWords(Vector256<int> sum, Vector256<short> weights, Vector256<short> tokens)
    {
        var (w, t) = (weights.AsInt32(), tokens.AsInt32());
        sum += Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(w, 16), 16) * Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(t, 16), 16);
        return sum + (Vector256.ShiftRightArithmetic(w, 16) * Vector256.ShiftRightArithmetic(t, 16));
    }
}
