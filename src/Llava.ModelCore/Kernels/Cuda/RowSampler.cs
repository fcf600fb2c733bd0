namespace Llava.ModelCore.Kernels.Cuda;

/// <summary>
/// Chooses a token from each row as <c>Engine.Sampler</c> does: temperature, top-k, top-p, and the draw of the row's seed and step; or the best. Of scores that are equal at top-p's border all are
/// kept. Penalties, biases, min-p and constraints are the host's: rows that ask for them go there. Pointers are the device's.
/// </summary>
/// <param name="Logits">float32 (rows, stride).</param>
/// <param name="Temperatures">float32 (rows); 0 or less takes the best.</param>
/// <param name="TopKs">int32 (rows); 0 keeps all.</param>
/// <param name="TopPs">float32 (rows); 1 keeps all.</param>
/// <param name="Seeds">int64 (rows).</param>
/// <param name="Steps">int32 (rows): tokens drawn before this one.</param>
/// <param name="Tokens">int32 (rows), written; −1 where a logit is NaN or ∞.</param>
/// <param name="LogProbabilities">float32 (rows), written: of the chosen token, without temperature.</param>
internal readonly record struct RowSampler(nint Logits, nint Temperatures, nint TopKs, nint TopPs, nint Seeds, nint Steps, nint Tokens, nint LogProbabilities)
{
    private const int Threads = 512;

    /// <summary>Puts it into the stream.</summary>
    /// <param name="kernels">The device's.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="vocabulary">Ids from here on are never chosen; at most 2²⁰, so that sums of weights fit.</param>
    /// <param name="stride">Numbers from one row to the next.</param>
    public void Launch(DeviceKernels kernels, int rows, int vocabulary, int stride)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabulary);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vocabulary, 1 << 20);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, vocabulary);
        kernels.Launch("sample_rows", "sample_rows", new(rows, Threads), Logits, Temperatures, TopKs, TopPs, Seeds, Steps, Tokens, LogProbabilities, vocabulary, stride);
    }
}
