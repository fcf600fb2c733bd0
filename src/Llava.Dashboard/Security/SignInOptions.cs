using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.Security;

/// <summary>How people sign in on the pages.</summary>
public sealed class SignInOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:SignIn";

    /// <summary>How long somebody stays signed in at most. Default 12 hours.</summary>
    [Range(typeof(TimeSpan), "00:05:00", "30.00:00:00")]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(12);

    /// <summary>How often a machine may try to sign in within a minute. Default 10.</summary>
    [Range(1, 10_000)]
    public int AttemptsPerMinute { get; set; } = 10;

    /// <summary>
    /// Folder of the keys that cookies are sealed with, made when missing and readable by its owner only. Dashboards that share it accept each
    /// other's cookies. Default: keys live as long as the process; <c>llava serve</c> takes <c>dashboard-keys</c> in the data folder.
    /// </summary>
    public string? KeysFolder { get; set; }
}

[OptionsValidator]
internal sealed partial class SignInOptionsRanges : IValidateOptions<SignInOptions>;
