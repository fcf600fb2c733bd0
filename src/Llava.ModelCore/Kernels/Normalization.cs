using System.Runtime.Intrinsics;

namespace Llava.ModelCore.Kernels;

/// <summary>
/// RMSNorm: x·w / √(mean(x²) + ε) (Zhang and Sennrich 2019; spec 1.4.1); LayerNorm without bias: the same of x − mean(x) (Ba et al. 2016; spec 1.4.2).
/// </summary>
internal static unsafe class Normalization
{
    private static readonly int Lanes = Vector512<float>.Count;

    /// <summary>Normalizes one row.</summary>
    /// <param name="x">(size).</param>
    /// <param name="weight">(size).</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="size">Numbers in the row.</param>
    /// <param name="output">(size); may be <paramref name="x"/>.</param>
    public static void Rms(float* x, float* weight, float epsilon, int size, float* output)
    {
        var scale = 1 / MathF.Sqrt((SumOfSquares(x, size) / size) + epsilon);
        var scales = Vector512.Create(scale);
        var i = 0;
        for (; i <= size - Lanes; i += Lanes)
        {
            (Vector512.Load(x + i) * scales * Vector512.Load(weight + i)).Store(output + i);
        }

        for (; i < size; i++)
        {
            output[i] = x[i] * scale * weight[i];
        }
    }

    /// <summary>Normalizes one row around its mean.</summary>
    /// <inheritdoc cref="Rms"/>
    public static void Layer(float* x, float* weight, float epsilon, int size, float* output)
    {
        var mean = Sum(x, size) / size;
        var means = Vector512.Create(mean);
        var i = 0;
        for (; i <= size - Lanes; i += Lanes)
        {
            (Vector512.Load(x + i) - means).Store(output + i);
        }

        for (; i < size; i++)
        {
            output[i] = x[i] - mean;
        }

        Rms(output, weight, epsilon, size, output);
    }

    private static float Sum(float* x, int size)
    {
        var sums = Vector512<float>.Zero;
        var i = 0;
        for (; i <= size - Lanes; i += Lanes)
        {
            sums += Vector512.Load(x + i);
        }

        var sum = Vector512.Sum(sums);
        for (; i < size; i++)
        {
            sum += x[i];
        }

        return sum;
    }

    private static float SumOfSquares(float* x, int size)
    {
        var sums = Vector512<float>.Zero;
        var i = 0;
        for (; i <= size - Lanes; i += Lanes)
        {
            var values = Vector512.Load(x + i);
            sums = Vector512.FusedMultiplyAdd(values, values, sums);
        }

        var sum = Vector512.Sum(sums);
        for (; i < size; i++)
        {
            sum += x[i] * x[i];
        }

        return sum;
    }
}
