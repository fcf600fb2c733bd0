using System.ComponentModel.DataAnnotations;
using System.Net;
using Llava.Hosting.Egress;
using Microsoft.Extensions.Options;

namespace Llava.Scheduler.Webhooks;

/// <summary>How events are sent to the addresses that tenants have registered. Addresses that are not public are refused, whatever name leads there.</summary>
public sealed class WebhookOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:Webhooks";

    /// <summary>Whether events are sent from this process. Default true; without registered addresses there are none.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Networks that may be posted to although they are not public, as <c>10.1.0.0/16</c>. Default none.</summary>
    public IList<string> PrivateNetworks { get; set; } = [];

    /// <summary>Ports that may be posted to. Default none: 80 and 443.</summary>
    public IList<int> Ports { get; set; } = [];

    /// <summary>How long one try may take. Default 15 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Tries at the same time. Default 16.</summary>
    [Range(1, 1024)]
    public int Concurrency { get; set; } = 16;

    /// <summary>Pause after the first try that failed; each is twice the one before. Default 5 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan FirstPause { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest pause between two tries. Default 6 hours; a delivery is given up after 72.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "3.00:00:00")]
    public TimeSpan LongestPause { get; set; } = TimeSpan.FromHours(6);

    /// <summary>How long deliveries that are over can be read about. Default 30 days.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(30);

    /// <summary>What may be posted to, as the guarded egress takes it.</summary>
    internal EgressOptions ToEgress() => new() { Enabled = true, PrivateNetworks = PrivateNetworks, Ports = Ports, Timeout = Timeout, Concurrency = Concurrency };
}

[OptionsValidator]
internal sealed partial class WebhookOptionsRanges : IValidateOptions<WebhookOptions>;

internal sealed class WebhookOptionsRules : IValidateOptions<WebhookOptions>
{
    public ValidateOptionsResult Validate(string? name, WebhookOptions options)
    {
        List<string> findings =
        [
            .. options.PrivateNetworks.Where(network => !IPNetwork.TryParse(network, out _)).Select(network => $"Llava:Webhooks:PrivateNetworks holds '{network}', which is no network such as 10.1.0.0/16."),
            .. options.Ports.Where(port => port is < 1 or > 65_535).Select(port => $"Llava:Webhooks:Ports holds {port}; give 1 to 65535."),
        ];
        return findings.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(findings);
    }
}
