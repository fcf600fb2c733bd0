using System.Runtime.Intrinsics;

namespace Llava.ModelCore.Kernels;

/// <summary>The exact GELU: x·Φ(x), with the normal distribution's Φ (Hendrycks and Gimpel 2016; spec 1.4.2).</summary>
internal static unsafe class Gelu
{
    private static readonly int Lanes = Vector512<float>.Count;

    /// <summary>
    /// ln(erfc(z)·e^(z²)/t) as a polynomial of t = 1/(1 + z/2), a Chebyshev fit for z from 0 to 10: off by 5·10⁻⁸ at most, so that erfc has float32's
    /// precision at every size and not only near one.
    /// </summary>
    private static readonly float[] Coefficients =
    [
        -1.26545493018f, 0.99878245955f, 0.385283633586f, 0.0413959641948f, -0.0195080034994f, -0.0398663175512f, -0.746469894702f, 1.19532767457f, -0.697536590715f, 0.148046053975f,
    ];

    /// <summary>Computes one row in place. What fills up the last vector is read and written too.</summary>
    /// <param name="x">(size, filled up to a vector).</param>
    /// <param name="size">Numbers in the row.</param>
    public static void Run(float* x, int size)
    {
        for (var i = 0; i < size; i += Lanes)
        {
            Of(Vector512.Load(x + i)).Store(x + i);
        }
    }

    private static Vector512<float> Of(Vector512<float> x)
    {
        var z = Vector512.Abs(x) * Vector512.Create(float.CreateTruncating(Math.Sqrt(0.5)));
        var t = Vector512<float>.One / (Vector512<float>.One + (z * Vector512.Create(0.5f)));
        var sum = Vector512.Create(Coefficients[^1]);
        for (var i = Coefficients.Length - 2; i >= 0; i--)
        {
            sum = Vector512.FusedMultiplyAdd(sum, t, Vector512.Create(Coefficients[i]));
        }

        // What lies behind |x|: erfc(z) / 2.
        var tail = t * Vector512.Exp(Vector512.FusedMultiplyAdd(-z, z, sum)) * Vector512.Create(0.5f);
        return x * Vector512.ConditionalSelect(Vector512.GreaterThan(x, Vector512<float>.Zero), Vector512<float>.One - tail, tail);
    }
}
