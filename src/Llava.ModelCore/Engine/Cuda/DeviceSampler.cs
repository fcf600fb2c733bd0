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

    /// <summary>Has the device choose, without waiting for it; null where there is nothing for it to choose.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="block">Where their settings lie on the device.</param>
    /// <param name="logits">float32 (rows, vocabulary).</param>
    public UnreadTokens? Choose(SampledRows rows, DeviceBlock block, Tensor logits)
    {
        var (count, stride) = (rows.OnDevice, (int)logits.shape[1]);
        if (count == 0)
        {
            return null;
        }

        var chosen = empty(2 * count, ScalarType.Int32, session.Device);
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

        return new UnreadTokens([.. Enumerable.Range(0, count).Select(i => rows[i])], chosen, session);
    }

    /// <summary>Whether no row needs the host, so that nobody has to wait.</summary>
    public bool IsDevicesAlone(SampledRows rows) => Sampled is null && rows.OnDevice == rows.Count;

    /// <summary>Notes tokens that the device has chosen.</summary>
    /// <param name="unread">The tokens; null for none.</param>
    /// <param name="outcome">Gets a token or a failure for each.</param>
    /// <param name="logits">float32 (rows, vocabulary), the tokens' rows first; looked at only if somebody wants to see them.</param>
    public void Read(UnreadTokens? unread, StepOutcome outcome, Tensor? logits = null)
    {
        if (unread is null)
        {
            return;
        }

        var read = unread.Read();
        var seen = Sampled is null ? null : logits?.narrow(0, 0, read.Length).cpu();
        for (var i = 0; i < read.Length; i++)
        {
            outcome.Works.Add(Chosen(read[i].Work, read[i].Token, read[i].LogProbability, seen, i));
        }
    }

    /// <summary>Chooses on the host for the rows that need it.</summary>
    public void ChooseOnHost(SampledRows rows, Tensor logits, StepOutcome outcome)
    {
        if (rows.OnDevice == rows.Count)
        {
            return;
        }

        var own = logits.narrow(0, rows.OnDevice, rows.Count - rows.OnDevice).cpu();
        for (var i = rows.OnDevice; i < rows.Count; i++)
        {
            outcome.Works.Add(_host.Sample(rows[i], Row(own, i - rows.OnDevice)));
        }
    }

    private WorkOutcome Chosen(StepWork work, int token, float logProbability, Tensor? seen, int row)
    {
        try
        {
            if (seen is not null)
            {
                Sampled!(work.Sequence, Row(seen, row));
            }

            return token < 0 ? new WorkOutcome(work, null, Sampler.NotFinite()) : new WorkOutcome(work, new SampledToken(token, logProbability));
        }
        catch (Exception e)
        {
            // Who looks at a row may fail with it, and with it alone.
            return new WorkOutcome(work, null, e);
        }
    }

    private static ReadOnlySpan<float> Row(Tensor logits, int row) => MemoryMarshal.Cast<byte, float>(logits.bytes).Slice(row * (int)logits.shape[1], (int)logits.shape[1]);
}
