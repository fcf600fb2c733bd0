using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Llava.ModelCore.Kernels;

/// <summary>bfloat16 as the upper half of a float32's bits.</summary>
internal static class BFloat16Bits
{
    private const int HalfBits = 16;

    /// <summary>The number itself: widening is exact.</summary>
    public static float ToSingle(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << HalfBits);

    /// <summary>The nearest bfloat16, ties to even; a NaN stays one.</summary>
    public static ushort FromSingle(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)((bits >> HalfBits) | 0x40)
            : (ushort)((bits + 0x7FFF + ((bits >> HalfBits) & 1)) >> HalfBits);
    }

    /// <summary>Sixteen of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<float> Load(ushort* source) => Vector512.ShiftLeft(Widened(source), HalfBits).AsSingle();

    /// <summary>Sixteen numbers of 16 bits in lanes of 32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<uint> Widened(ushort* source)
    {
        // One instruction where there is one; joining two halves takes four.
        if (Avx512F.IsSupported)
        {
            return Avx512F.ConvertToVector512UInt32(Vector256.Load(source));
        }

        var (low, high) = Vector256.Widen(Vector256.Load(source));
        return Vector512.Create(low, high);
    }

    /// <summary>Eight of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<float> Load8(ushort* source)
    {
        var (low, high) = Vector128.Widen(Vector128.Load(source));
        return Vector256.ShiftLeft(Vector256.Create(low, high), HalfBits).AsSingle();
    }
}
