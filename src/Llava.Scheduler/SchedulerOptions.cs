using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Llava.Scheduler;

/// <summary>How jobs are read in, handed out and repaired.</summary>
public sealed class SchedulerOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:Scheduler";

    /// <summary>Folders below which sources and images may be read, links followed. Default none: nothing may be read until one is named.</summary>
    public IList<string> ImageRoots { get; set; } = [];

    /// <summary>
    /// Whether what schedules and promotions name may be read without standing below <see cref="ImageRoots"/>. Default false; the embedded mode, where
    /// only the user can add them, says true.
    /// </summary>
    public bool TrustSchedules { get; set; }

    /// <summary>Items committed together while a source is read. Default 4096.</summary>
    [Range(1, 100_000)]
    public int ExpansionBatch { get; set; } = 4096;

    /// <summary>Jobs read in at the same time, so that a long source does not hold up a short one. Default 4.</summary>
    [Range(1, 64)]
    public int ConcurrentExpansions { get; set; } = 4;

    /// <summary>How often loops look when no doorbell rings: what other processes change is seen this late. Default 1 second.</summary>
    [Range(typeof(TimeSpan), "00:00:00.0100000", "00:10:00")]
    public TimeSpan Poll { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How often lost leases and messages are looked for. Default 15 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan Sweep { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How often a running job's counts are published, at most and only when they changed; zero never does. Default 10 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan Progress { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often metrics of what waits are counted, where anybody collects them. Default 10 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan Sample { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long jobs that are over are kept; zero keeps them for ever. Default for ever.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "3650.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.Zero;

    /// <summary>How long an answer is kept for later jobs (<c>"cache": true</c>) without being used. Default 30 days.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00")]
    public TimeSpan CacheRetention { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Answers kept for later jobs; of more, those go first that were used longest ago. Default a million.</summary>
    [Range(0, 1_000_000_000)]
    public int CacheRows { get; set; } = 1_000_000;
}

[OptionsValidator]
internal sealed partial class SchedulerOptionsRanges : IValidateOptions<SchedulerOptions>;

internal sealed class SchedulerOptionsRules : IValidateOptions<SchedulerOptions>
{
    public ValidateOptionsResult Validate(string? name, SchedulerOptions options)
    {
        var missing = options.ImageRoots.Where(root => !Directory.Exists(root)).ToList();
        return missing.Count == 0
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(missing.Select(root => $"Llava:Scheduler:ImageRoots names '{root}', which is no folder here; make it or take it out."));
    }
}
