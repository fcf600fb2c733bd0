using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Options;

namespace Llava.Hosting.Egress;

/// <summary>What may be fetched from the network. Off until it is enabled; even then only from public addresses.</summary>
public sealed class EgressOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:Egress";

    /// <summary>Whether images may be fetched by URL at all. Default false.</summary>
    public bool Enabled { get; set; }

    /// <summary>Hosts that may be asked, as <c>images.example.org</c> or <c>*.example.org</c>, which includes no bare <c>example.org</c>. Default none: every host.</summary>
    public IList<string> AllowedHosts { get; set; } = [];

    /// <summary>Hosts that may not be asked, in the same notation; wins over <see cref="AllowedHosts"/>. Default none.</summary>
    public IList<string> DeniedHosts { get; set; } = [];

    /// <summary>Ports that may be asked. Default none: 80 and 443.</summary>
    public IList<int> Ports { get; set; } = [];

    /// <summary>Networks that may be asked although they are not public, as <c>10.1.0.0/16</c>. Default none.</summary>
    public IList<string> PrivateNetworks { get; set; } = [];

    /// <summary>Bytes of one response. Default 32 MiB.</summary>
    [Range(1, 1 << 30)]
    public int MaxBytes { get; set; } = 32 << 20;

    /// <summary>How long a connection may take to be made. Default 5 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long one try may take from the first redirect to the last byte. Default 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Requests at the same time. Default 32.</summary>
    [Range(1, 1024)]
    public int Concurrency { get; set; } = 32;

    /// <summary>Requests at the same time to one host. Default 4.</summary>
    [Range(1, 1024)]
    public int ConcurrencyPerHost { get; set; } = 4;

    /// <summary>How often a URL is tried again after a timeout, 429 or 5xx. Default 3.</summary>
    [Range(0, 10)]
    public int Retries { get; set; } = 3;

    /// <summary>First pause between tries; each is twice the one before. Default half a second.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan FirstPause { get; set; } = TimeSpan.FromSeconds(0.5);

    /// <summary>Longest pause that a server may ask for with <c>Retry-After</c>; one that asks for more is not tried again. Default 30 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan LongestPause { get; set; } = TimeSpan.FromSeconds(30);
}

[OptionsValidator]
internal sealed partial class EgressOptionsRanges : IValidateOptions<EgressOptions>;

internal sealed class EgressOptionsRules : IValidateOptions<EgressOptions>
{
    public ValidateOptionsResult Validate(string? name, EgressOptions options)
    {
        List<string> findings =
        [
            .. options.PrivateNetworks.Where(network => !IPNetwork.TryParse(network, out _)).Select(network => $"Llava:Egress:PrivateNetworks holds '{network}', which is no network such as 10.1.0.0/16."),
            .. options.Ports.Where(port => port is < 1 or > 65_535).Select(port => $"Llava:Egress:Ports holds {port}; give 1 to 65535."),
        ];
        return findings.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(findings);
    }
}
