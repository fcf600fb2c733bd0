using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Options;

namespace Llava.Cli.Service;

/// <summary>Where a service process answers HTTP: health for every role, pages for the dashboard.</summary>
public sealed class HttpOptions
{
    /// <summary>Where these options are found in the configuration.</summary>
    public const string SectionName = "Llava:Http";

    /// <summary>Address to listen on. Default <c>127.0.0.1</c>: this machine only; a container needs <c>0.0.0.0</c>.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>Port to listen on; 0 takes a free one. Default 5080.</summary>
    [Range(0, 65_535)]
    public int Port { get; set; } = 5080;

    /// <summary>
    /// A further port for <c>/metrics</c> and nothing else, open to whoever reaches it; 0 for none. Default 0: Prometheus asks at
    /// <see cref="Port"/>, which beside the pages takes a signed-in user.
    /// </summary>
    [Range(0, 65_535)]
    public int MetricsPort { get; set; }

    /// <summary>Names by which browsers may call the pages, besides this machine's own. Default none.</summary>
    public IList<string> Hosts { get; set; } = [];
}

[OptionsValidator]
internal sealed partial class HttpOptionsRanges : IValidateOptions<HttpOptions>;

internal sealed class HttpOptionsRules : IValidateOptions<HttpOptions>
{
    public ValidateOptionsResult Validate(string? name, HttpOptions options) => IPAddress.TryParse(options.Address, out _)
        ? options.MetricsPort == 0 || options.MetricsPort != options.Port
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"Llava:Http:MetricsPort is {options.MetricsPort} and so is Llava:Http:Port; give it a port of its own, or 0 for none.")
        : ValidateOptionsResult.Fail($"Llava:Http:Address is '{options.Address}'; give an address such as 127.0.0.1 or 0.0.0.0.");
}
