using System.Runtime.InteropServices;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native.Shim;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>Chooses the tokens of a pass: on the device where its kernel does all that a row asks for, of the other rows' logits on the host.</summary>
/// <param name="session">The device.</param>
internal sealed class DeviceSampler(CudaSession session)
{
    private readonly RowSampling _host = new();

    /// <inheritdoc cref="RowSampling.Sampled"/>
    public RowSampling.SampledRow? Sampled
    {
        get => _host.Sampled;
        set => _host.Sampled = value;
    }

    /// <summary>Chooses, and waits for it.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="block">Where their settings lie on the device.</param>
    /// <param name="logits">float32 (rows, vocabulary).</param>
    /// <param name="outcome">Gets a token or a failure for each.</param>
    public void Choose(SampledRows rows, DeviceBlock block, Tensor logits, StepOutcome outcome)
    {
        var vocabulary = (int)logits.shape[1];
        var (tokens, logProbabilities) = rows.OnDevice > 0 ? Choose(rows, block, logits) : ([], []);
        // Whoever wants to see logits sees all of them.
        var firstSeen = Sampled is null ? rows.OnDevice : 0;
        var seen = firstSeen == rows.Count ? [] : MemoryMarshal.Cast<byte, float>(logits.narrow(0, firstSeen, rows.Count - firstSeen).cpu().bytes);
        for (var i = 0; i < rows.Count; i++)
        {
            var own = i < firstSeen ? [] : seen.Slice((i - firstSeen) * vocabulary, vocabulary);
            outcome.Works.Add(i < rows.OnDevice ? Chosen(rows[i], tokens[i], logProbabilities[i], own) : _host.Sample(rows[i], own));
        }
    }

    private (int[] Tokens, float[] LogProbabilities) Choose(SampledRows rows, DeviceBlock block, Tensor logits)
    {
        var (count, stride) = (rows.OnDevice, (int)logits.shape[1]);
        var chosen = empty(2 * count, ScalarType.Int32, session.Device); // tokens, then log-probabilities
        var (tokens, scores) = (StableShim.Address(chosen.Handle), StableShim.Address(logits.Handle));
        var first = 0;
        foreach (var (vocabulary, run) in rows.Limits)
        {
            var offset = first * sizeof(int);
            new RowSampler(
                scores + (nint)((long)offset * stride), block.Address(rows.Temperatures) + offset, block.Address(rows.TopKs) + offset, block.Address(rows.TopPs) + offset,
                block.Address(rows.Seeds) + (2 * offset), block.Address(rows.Steps) + offset, tokens + offset, tokens + (count * sizeof(int)) + offset)
                .Launch(session.Kernels, run, vocabulary, stride);
            first += run;
        }

        var bytes = chosen.cpu().bytes;
        return (MemoryMarshal.Cast<byte, int>(bytes)[..count].ToArray(), MemoryMarshal.Cast<byte, float>(bytes)[count..].ToArray());
    }

    private WorkOutcome Chosen(StepWork work, int token, float logProbability, ReadOnlySpan<float> logits)
    {
        try
        {
            Sampled?.Invoke(work.Sequence, logits);
            return token < 0 ? new WorkOutcome(work, null, Sampler.NotFinite()) : new WorkOutcome(work, new SampledToken(token, logProbability));
        }
        catch (Exception e)
        {
            // Who looks at a row may fail with it, and with it alone.
            return new WorkOutcome(work, null, e);
        }
    }
}
