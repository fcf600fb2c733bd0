namespace Llava.ModelCore.Engine;

/// <summary>Computes a step: tensors in, token ids out. Called by one thread.</summary>
internal interface IStepRunner : IDisposable
{
    /// <summary>Runs copies, then prefills in order, then decodes.</summary>
    /// <param name="plan">What to compute.</param>
    /// <param name="outcome">
    /// Gets what became of each work; of a sequence that failed, only the failure counts. A runner may leave tokens unread (<see cref="Sequence.Unread"/>); then they come with the next call.
    /// </param>
    void Run(StepPlan plan, StepOutcome outcome);

    /// <summary>Whether tokens of the last step are yet to come. Default: they never are.</summary>
    bool IsBehind => false;

    /// <summary>Reads what is yet to come, where there is no step to run.</summary>
    /// <param name="outcome">Gets it.</param>
    void CatchUp(StepOutcome outcome)
    {
    }

    /// <summary>What the runner had to give up, and why, in a sentence; it computes the same without. Default: nothing.</summary>
    string? Notice => null;

    /// <inheritdoc cref="RowSampling.Sampled"/>
    RowSampling.SampledRow? Sampled { get; set; }

    /// <summary>One vector of length 1 for the whole image: the mean of the features that the vision tower gives. Default: the runner sees no images.</summary>
    /// <exception cref="NotSupportedException">There is no vision tower.</exception>
    float[] Embed(ImageInput image) => throw new NotSupportedException("This runner has no vision tower.");
}

/// <summary>What one step produced. Reused from step to step.</summary>
internal sealed class StepOutcome
{
    public List<WorkOutcome> Works { get; } = [];

    public int ImagesEncoded { get; set; }

    public int FeatureHits { get; set; }

    public TimeSpan PrefillTime { get; set; }

    public TimeSpan DecodeTime { get; set; }

    public void Clear()
    {
        Works.Clear();
        (ImagesEncoded, FeatureHits, PrefillTime, DecodeTime) = (0, 0, TimeSpan.Zero, TimeSpan.Zero);
    }
}

/// <summary>What became of one work.</summary>
/// <param name="Work">The work.</param>
/// <param name="Token">The chosen token; null when the work does not sample or failed.</param>
/// <param name="Error">What failed; null when nothing did.</param>
internal readonly record struct WorkOutcome(StepWork Work, SampledToken? Token, Exception? Error = null);
