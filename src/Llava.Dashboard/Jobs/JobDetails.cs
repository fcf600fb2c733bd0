using Llava.Contracts.Documents;
using Llava.Dashboard.Elements;
using Llava.Ledger.Chunks;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Reviews;
using Llava.Ledger.Throughput;

namespace Llava.Dashboard.Jobs;

/// <summary>All that the page of one job shows and that may change while one looks.</summary>
/// <param name="View">The job and its progress.</param>
/// <param name="Causes">Why items failed.</param>
/// <param name="Throughput">Items and tokens per second over its life.</param>
/// <param name="Times">Where the time of its items went.</param>
/// <param name="Reviews">What people said of its answers.</param>
/// <param name="Parts">Sources that were added to it.</param>
/// <param name="Attempts">Claims that did not end well, the newest first; the first of many.</param>
/// <param name="AttemptCount">How many there were.</param>
/// <param name="Sample">How far its sample is, and what the rest will take; null where it has none.</param>
public sealed record JobDetails(
    JobView View, IReadOnlyList<Cause> Causes, TimeSeries Throughput, JobTimes Times, ReviewCounts Reviews, IReadOnlyList<PartRecord> Parts, IReadOnlyList<ChunkAttempt> Attempts, int AttemptCount,
    SampleDocument? Sample)
{
    /// <summary>Share of the prompt's tokens that were found in the cache, 0 to 1.</summary>
    public double PrefixHits => View.Progress.PromptTokens == 0 ? 0 : (double)View.Progress.CachedTokens / View.Progress.PromptTokens;

    /// <summary>Phases of an item with their mean times, in order.</summary>
    public IReadOnlyList<(string Name, string Meaning, TimeSpan Mean)> Phases =>
    [
        ("queue", "waited for a consumer", Times.Waited), ("prepare", "image and prompt made ready", Times.Prepare), ("slot", "waited for a slot", Times.Slot),
        ("prefill", "prompt read", Times.Prefill), ("decode", "answer generated", Times.Decode), ("write", "result recorded", Times.Write),
    ];

    /// <summary>What happened to the job, and when.</summary>
    public IEnumerable<(string What, DateTimeOffset At)> Timeline => new (string What, DateTimeOffset? At)[]
    {
        ("submitted", View.Job.CreatedAt), ("read in", View.Job.ExpandedAt), ("first item claimed", View.Job.StartedAt), ("first answer", View.Progress.FirstAnswerAt),
        ("last answer", View.Progress.LastAnswerAt), (View.IsLive ? "expires" : View.State, View.IsLive ? View.Job.ExpiresAt : View.Job.FinishedAt),
    }.Where(step => step.At is not null).Select(step => (step.What, step.At!.Value)).OrderBy(step => step.Value);
}

/// <summary>Why items failed.</summary>
/// <param name="Count">The code, and how many.</param>
/// <param name="Examples">Some of them.</param>
public sealed record Cause(ErrorCount Count, IReadOnlyList<ItemResult> Examples);
