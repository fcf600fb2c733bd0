using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Llava.ModelCore.Kernels;

/// <summary>How memory keeps numbers that are computed with in float32.</summary>
internal unsafe interface IFloatElement
{
    /// <summary>Bytes of a number.</summary>
    static abstract int Bytes { get; }

    /// <summary>Sixteen numbers.</summary>
    static abstract Vector512<float> Load(byte* source);

    /// <summary>One number, rounded.</summary>
    static abstract void Store(byte* target, float value);
}

/// <summary>float32.</summary>
internal readonly unsafe struct SingleElement : IFloatElement
{
    public static int Bytes => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* source) => Vector512.Load((float*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* target, float value) => *(float*)target = value;
}

/// <summary>bfloat16.</summary>
internal readonly unsafe struct BFloat16Element : IFloatElement
{
    public static int Bytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* source) => BFloat16Bits.Load((ushort*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* target, float value) => *(ushort*)target = BFloat16Bits.FromSingle(value);
}
