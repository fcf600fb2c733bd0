using System.Runtime.Intrinsics;

namespace Llava.ModelCore.Kernels;

/// <summary>SwiGLU: silu(gate)·up, with silu(x) = x / (1 + e⁻ˣ) (Shazeer 2020; spec 1.4.1).</summary>
internal static unsafe class GatedActivation
{
    private static readonly int Lanes = Vector512<float>.Count;

    /// <summary>Computes one row. What fills up the last vector is read and written too.</summary>
    /// <param name="gate">(size, filled up to a vector); gets the result.</param>
    /// <param name="up">(size, filled up to a vector).</param>
    /// <param name="size">Numbers in the row.</param>
    public static void SwiGlu(float* gate, float* up, int size)
    {
        for (var i = 0; i < size; i += Lanes)
        {
            var x = Vector512.Load(gate + i);
            (x / (Vector512<float>.One + Vector512.Exp(-x)) * Vector512.Load(up + i)).Store(gate + i);
        }
    }
}
