using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger.Results;

namespace Llava.GpuConsumer.Runners;

/// <summary>One item to answer.</summary>
/// <param name="Job">Its job.</param>
/// <param name="ItemNo">Its number within the job.</param>
/// <param name="Images">Where its images really are (<see cref="Llava.Hosting.Paths.ImageLocation"/>), in the order of the prompt's placeholders; checked against the allowed folders when the job was read in.</param>
/// <param name="Prompt">The text to ask, the job's and the item's own already joined.</param>
/// <param name="Request">The job's request: generation settings, conversation template, image aspect.</param>
public sealed record WorkItem(JobId Job, int ItemNo, IReadOnlyList<string> Images, string Prompt, JobRequest Request)
{
    /// <summary>Whether it goes before other items.</summary>
    public bool Express { get; init; }

    /// <summary>What was read of the images before; null when nobody looked into them.</summary>
    public IImageBytes? ImageBytes { get; init; }
}

/// <summary>An answer.</summary>
/// <param name="Text">What the model said.</param>
/// <param name="FinishReason"><c>stop</c> or <c>length</c>.</param>
/// <param name="Usage">Tokens read and written.</param>
/// <param name="Timings">Where the time went, from the moment the runner was asked; null where nothing was timed.</param>
/// <param name="Confidence">Mean probability of the generated tokens, or the answer's share among the choices there were, 0 to 1; null where none was measured.</param>
/// <param name="CopyOf">The item whose answer this is a copy of; null for an answer of its own.</param>
public sealed record ItemAnswer(string Text, string FinishReason, TokenUsage Usage, ItemTimings? Timings, double? Confidence = null, ItemReference? CopyOf = null);
