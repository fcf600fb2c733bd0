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

/// <summary>IEEE's half precision. Loading is exact for all finite numbers; .NET has no intrinsics for it.</summary>
internal readonly unsafe struct HalfElement : IFloatElement
{
    // float32 has 13 more bits of fraction, and an exponent whose zero lies 112 higher.
    private const int FractionBits = 13;
    private const float ExponentScale = 5.192296858534828e33f; // 2¹¹²

    public static int Bytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* source)
    {
        var bits = BFloat16Bits.Widened((ushort*)source);
        var size = Vector512.ShiftLeft(bits & Vector512.Create(0x7FFFu), FractionBits).AsSingle() * Vector512.Create(ExponentScale);
        return (size.AsUInt32() | Vector512.ShiftLeft(bits & Vector512.Create(0x8000u), 16)).AsSingle();
    }

    public static void Store(byte* target, float value) => *(Half*)target = float.IsFinite(value)
        ? (Half)value
        : throw new ArgumentException($"A weight is {value}, which half precision is not kept for.", nameof(value));
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
