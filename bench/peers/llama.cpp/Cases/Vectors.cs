namespace Llava.Benchmarks.LlamaCpp.Cases;

/// <summary>Compares what two programs computed.</summary>
internal static class Vectors
{
    /// <summary>The cosine of the angle between two vectors: 1 for the same direction, near 0 for what has nothing in common.</summary>
    public static double Cosine(float[] a, float[] b) => Product(a, b) / Math.Sqrt(Product(a, a) * Product(b, b));

    private static double Product(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
}
