using System.ComponentModel.DataAnnotations;
using Llava.Ledger.Storage;
using Microsoft.Extensions.Options;

namespace Llava.Ledger;

/// <summary>Where the ledger is and how long its promises hold.</summary>
public sealed class LedgerOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:Ledger";

    /// <summary>
    /// Where the ledger is: path of a SQLite file, whose folder is made when missing, or a PostgreSQL database as
    /// <c>postgres://user@host:5432/database</c> or <c>Host=…;Database=…;Username=…</c>. Default <c>.llava/ledger.db</c> below the current folder.
    /// </summary>
    [Required]
    [MinLength(1)]
    public string Location { get; set; } = Path.Combine(".llava", "ledger.db");

    /// <summary>File that holds PostgreSQL's password, so that it stands in no environment and no listing; null takes what <see cref="Location"/> says.</summary>
    public string? PasswordFile { get; set; }

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

    /// <summary>How long a read or write is tried again while PostgreSQL restarts or cannot be reached. Default one minute.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan RetryFor { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Whether each commit to SQLite reaches the disk before it counts: survives a power cut without losing the last moments, at a cost.
    /// A killed process loses nothing either way. Default false. PostgreSQL's own settings decide there, and by default do.
    /// </summary>
    public bool SurvivePowerLoss { get; set; }
}

[OptionsValidator]
internal sealed partial class LedgerOptionsRanges : IValidateOptions<LedgerOptions>;

internal sealed class LedgerOptionsRules : IValidateOptions<LedgerOptions>
{
    public ValidateOptionsResult Validate(string? name, LedgerOptions options)
    {
        List<string> findings = [];
        if (options.RepublishAfter <= options.Lease)
        {
            findings.Add(
                $"Llava:Ledger:RepublishAfter is {options.RepublishAfter} and Llava:Ledger:Lease is {options.Lease}. A chunk that is " +
                "published again sooner than a lease ends is mostly sent twice, so raise RepublishAfter or lower Lease.");
        }

        if (options.PasswordFile is { } file && !File.Exists(file))
        {
            findings.Add($"Llava:Ledger:PasswordFile is '{file}', which does not exist; mount the secret there or name another file.");
        }
        else if (PostgresAddress.Problem(options) is { } problem)
        {
            findings.Add(problem);
        }

        return findings.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(findings);
    }
}
