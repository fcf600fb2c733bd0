using System.Net;

namespace Llava.Hosting.Egress;

/// <summary>Which URLs and addresses may be asked.</summary>
internal sealed class EgressRules(EgressOptions options)
{
    private const int LongestUrl = 4096;

    private readonly HashSet<int> _ports = options.Ports.Count > 0 ? [.. options.Ports] : [80, 443];
    private readonly IPNetwork[] _privateNetworks = [.. options.PrivateNetworks.Select(IPNetwork.Parse)];

    /// <summary>The URL, checked.</summary>
    /// <exception cref="EgressException">It may not be asked.</exception>
    public Uri Require(string text)
    {
        Require(options.Enabled, text, "URLs are not fetched here; set Llava:Egress:Enabled, or give --allow-urls on the command line.");
        Require(text.Length <= LongestUrl && Uri.TryCreate(text, UriKind.Absolute, out _), text, $"it is no absolute URL of at most {LongestUrl} letters.");
        return Require(new Uri(text));
    }

    /// <summary>The same for the target of a redirect.</summary>
    public Uri Require(Uri url)
    {
        var text = url.OriginalString;
        Require(url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps, text, "only http and https are fetched.");
        Require(url.UserInfo.Length == 0, text, "it holds a user name or password.");
        Require(_ports.Contains(url.Port), text, $"port {url.Port} is not one of {string.Join(", ", _ports)} (Llava:Egress:Ports).");
        var host = url.IdnHost.TrimEnd('.').ToLowerInvariant();
        Require(host.Length > 0 && !options.DeniedHosts.Any(pattern => Matches(host, pattern)), text, $"host '{host}' is denied (Llava:Egress:DeniedHosts).");
        Require(options.AllowedHosts.Count == 0 || options.AllowedHosts.Any(pattern => Matches(host, pattern)), text, $"host '{host}' is not among those allowed (Llava:Egress:AllowedHosts).");
        return url;
    }

    /// <summary>Whether an address may be connected to.</summary>
    public bool Allows(IPAddress address) =>
        PublicAddresses.Contains(address) || Array.Exists(_privateNetworks, network => network.Contains(PublicAddresses.Plain(address)));

    private static bool Matches(string host, string pattern) => pattern.StartsWith("*.", StringComparison.Ordinal)
        ? host.EndsWith(pattern[1..], StringComparison.OrdinalIgnoreCase)
        : host.Equals(pattern, StringComparison.OrdinalIgnoreCase);

    private static void Require(bool holds, string url, string reason)
    {
        if (!holds)
        {
            throw new EgressException(EgressException.Refused, url, reason);
        }
    }
}
