using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Llava.ModelCore.Kernels;

/// <summary>What the lanes of a vector come to.</summary>
internal static class Lanes
{
    /// <summary>The largest lane; NaN when one is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector512<float> values)
    {
        var eight = Vector256.Max(values.GetLower(), values.GetUpper());
        var four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        var two = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.Max(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }
}
