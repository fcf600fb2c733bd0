using System.Globalization;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;

namespace Llava.Dashboard.Jobs;

/// <summary>A job and how far it is, in the words of the page.</summary>
public sealed record JobView(JobRecord Job, JobProgress Progress)
{
    /// <summary>Whether anything may still change.</summary>
    public bool IsLive => !JobStates.Table.IsFinal(Job.State);

    /// <summary>State as the API spells it; also the name of its style.</summary>
    public string State => Job.State.WireName();

    /// <summary>Name of the source's last part, to recognise the job by.</summary>
    public string Source => Path.GetFileName(Path.TrimEndingDirectorySeparator(Job.Request.Source.Path));

    /// <summary>The model's name: the last part of its path.</summary>
    public string Model => Path.GetFileName(Path.TrimEndingDirectorySeparator(Job.Request.Model));

    /// <summary>Items and tokens per second so far.</summary>
    public string Rate => string.Create(CultureInfo.InvariantCulture, $"{Progress.ItemsPerSecond:0.0} items/s, {Progress.TokensPerSecond:0} tokens/s");

    /// <summary>Time left, or a dash.</summary>
    public string Remaining => IsLive && Progress.Remaining is { } left ? left.ToString(left.TotalHours >= 1 ? @"h\:mm\:ss" : @"m\:ss", CultureInfo.InvariantCulture) : "–";
}
