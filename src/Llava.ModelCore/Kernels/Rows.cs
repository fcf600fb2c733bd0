namespace Llava.ModelCore.Kernels;

/// <summary>Float32 rows, one per token of a pass.</summary>
/// <param name="Start">First number of the first row.</param>
/// <param name="Stride">Numbers between rows.</param>
internal readonly unsafe record struct Rows(nint Start, int Stride)
{
    /// <param name="start">First number of the first row.</param>
    /// <param name="stride">Numbers between rows.</param>
    public Rows(float* start, int stride)
        : this((nint)start, stride)
    {
    }

    /// <summary>A row's first number.</summary>
    public float* At(int row) => (float*)Start + ((long)row * Stride);
}
