using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Llava.Ledger;

/// <summary>Where the ledger is and how long its promises hold.</summary>
public sealed class LedgerOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:Ledger";

    /// <summary>The SQLite file; its folder is made when missing. Default <c>.llava/ledger.db</c> below the current folder.</summary>
    [Required]
    [MinLength(1)]
    public string Path { get; set; } = System.IO.Path.Combine(".llava", "ledger.db");

    /// <summary>How long a claimed chunk stays its consumer's without a heartbeat. Default one minute.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "01:00:00")]
    public TimeSpan Lease { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a worker counts as alive without a heartbeat. Default 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:02", "01:00:00")]
    public TimeSpan WorkerExpiry { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a published chunk may wait unclaimed before it is published again. Default 10 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan RepublishAfter { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Attempts a chunk may lose before it is split, and before an item that stands alone is failed as poison. Default 3.</summary>
    [Range(2, 100)]
    public int MaxAttempts { get; set; } = 3;

    /// <summary>How long a write waits for another process that holds the SQLite file. Default 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether each commit reaches the disk before it counts: survives a power cut without losing the last moments, at a cost. A killed process loses nothing either way. Default false.</summary>
    public bool SurvivePowerLoss { get; set; }
}

[OptionsValidator]
internal sealed partial class LedgerOptionsRanges : IValidateOptions<LedgerOptions>;

internal sealed class LedgerOptionsRules : IValidateOptions<LedgerOptions>
{
    public ValidateOptionsResult Validate(string? name, LedgerOptions options) => options.RepublishAfter > options.Lease
        ? ValidateOptionsResult.Success
        : ValidateOptionsResult.Fail(
            $"Llava:Ledger:RepublishAfter is {options.RepublishAfter} and Llava:Ledger:Lease is {options.Lease}. A chunk that is " +
            "published again sooner than a lease ends is mostly sent twice, so raise RepublishAfter or lower Lease.");
}
