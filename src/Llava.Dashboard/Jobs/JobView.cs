using Llava.Contracts.States;
using Llava.Dashboard.Elements;
using Llava.Ledger.Jobs;

namespace Llava.Dashboard.Jobs;

/// <summary>A job and how far it is, in the words of the page.</summary>
public sealed record JobView(JobRecord Job, JobProgress Progress)
{
    /// <summary>Whether anything may still change.</summary>
    public bool IsLive => !JobStates.Table.IsFinal(Job.State);

    /// <summary>State as the API spells it; also the name of its style.</summary>
    public string State => Job.State.WireName();

    /// <summary>Where its page is.</summary>
    public string Path => $"/jobs/{Job.Id}";

    /// <summary>Name of the source's last part, to recognise the job by.</summary>
    public string Source => NameOf(Job.Request.Source.Path);

    /// <summary>The model's name: the last part of its path.</summary>
    public string Model => NameOf(Job.Request.Model);

    /// <summary>What is asked, in a line: the job's prompt, how many it has, or that the items bring theirs.</summary>
    public string Asked => Job.Request.Prompts.Count > 0 ? Words.Count(Job.Request.Prompts.Count, "prompt") + " on each image" : Job.Request.Prompt ?? "each item's own prompt";

    /// <summary>Its items by what became of them; answers taken from earlier jobs stand apart.</summary>
    public IReadOnlyList<Segment> Segments =>
    [
        new("succeeded", Progress.Succeeded - Progress.Cached), new("cached", Progress.Cached), new("failed", Progress.Failed),
        new("cancelled", Progress.Cancelled), new("expired", Progress.Expired),
    ];

    /// <summary>Items and tokens per second so far.</summary>
    public string Rate => $"{Words.Rate(Progress.ItemsPerSecond)} items/s";

    /// <summary>Time left, or a dash: while the source is being read, nobody knows.</summary>
    public string Remaining => Job.State is JobState.Running or JobState.Queued && !Job.IsBeingRead && Progress.Remaining is { } left && Progress.Done < Progress.Total ? Words.Duration(left) : "–";

    /// <summary>How long it took, or has been at it; null before it began.</summary>
    public TimeSpan? Took => Job.StartedAt is { } started ? (Job.FinishedAt ?? Progress.LastAnswerAt ?? started) - started : null;

    /// <summary>The last part of a path.</summary>
    public static string NameOf(string path) => System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(path)) is { Length: > 0 } name ? name : path;
}
