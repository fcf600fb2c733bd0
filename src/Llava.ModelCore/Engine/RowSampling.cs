namespace Llava.ModelCore.Engine;

/// <summary>Gives each work its token. One thread at a time.</summary>
internal sealed class RowSampling
{
    private readonly Sampler _sampler = new();

    /// <summary>Looks at one row's logits (vocabulary).</summary>
    public delegate void SampledRow(Sequence sequence, ReadOnlySpan<float> logits);

    /// <summary>Called with the logits of every row that samples, for whoever compares them.</summary>
    public SampledRow? Sampled { get; set; }

    /// <summary>Chooses the token of a work, or scores the one that it is forced to.</summary>
    /// <param name="work">A work that samples.</param>
    /// <param name="logits">(vocabulary) of its last position.</param>
    public WorkOutcome Sample(StepWork work, ReadOnlySpan<float> logits)
    {
        try
        {
            var sequence = work.Sequence;
            Sampled?.Invoke(sequence, logits);
            var (request, step) = (sequence.Request, sequence.Generated.Length);
            return new WorkOutcome(work, request.Forced is { } forced
                ? _sampler.Score(logits, forced[step], request.Sampling)
                : _sampler.Sample(logits, sequence.Tokens, request.Sampling, sequence.Seed, step, request.Constraint));
        }
        catch (Exception e)
        {
            // One row that cannot be sampled leaves its neighbours alone.
            return new WorkOutcome(work, null, e);
        }
    }
}
