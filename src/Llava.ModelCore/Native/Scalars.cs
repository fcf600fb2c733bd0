using System.Collections.Concurrent;
using TorchSharp;

namespace Llava.ModelCore.Native;

/// <summary>
/// Torch scalars that outlive every call. TorchSharp takes a scalar's handle and lets the object go, so the finaliser of a
/// temporary scalar may free it while the native call still reads it.
/// </summary>
internal static class Scalars
{
    private static readonly ConcurrentDictionary<double, Scalar> Cache = new();
    private static readonly ConcurrentDictionary<long, Scalar> Integers = new();

    /// <summary>The number one, for <c>add(tensor, alpha)</c>.</summary>
    public static readonly Scalar One = Of(1);

    /// <summary>A floating-point scalar. Use it for constants; a value that changes every step would grow the cache.</summary>
    public static Scalar Of(double value) => Cache.GetOrAdd(value, static v => v.ToScalar());

    /// <summary>An integer scalar, for comparisons with integer tensors and for their ranges.</summary>
    public static Scalar OfInteger(long value) => Integers.GetOrAdd(value, static v => v.ToScalar());
}
