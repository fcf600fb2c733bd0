using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.Api;

/// <summary>Limits of the HTTP API.</summary>
public sealed class ApiOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:Api";

    /// <summary>Requests per second that one key may send for ever. Default 50.</summary>
    [Range(1, 100_000)]
    public int RequestsPerSecond { get; set; } = 50;

    /// <summary>Requests that one key may send at once after a rest. Default 200.</summary>
    [Range(1, 1_000_000)]
    public int Burst { get; set; } = 200;

    /// <summary>Longest body of a request, in bytes. Default 10 MiB.</summary>
    [Range(1024, 1 << 30)]
    public int MaxBodyBytes { get; set; } = 10 << 20;
}

[OptionsValidator]
internal sealed partial class ApiOptionsRanges : IValidateOptions<ApiOptions>;
