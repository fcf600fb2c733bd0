using System.Globalization;

namespace Llava.Dashboard.Webhooks;

/// <summary>What the API and the page ask of whoever adds an address.</summary>
internal static class WebhookRules
{
    private const int LongestUrl = 2048;

    /// <summary>How long a former secret signs beside the one that took its place.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromHours(24);

    /// <summary>What an address has to be, in words.</summary>
    public static readonly string Address = string.Create(CultureInfo.InvariantCulture, $"an http or https URL of at most {LongestUrl} letters, without a user name");

    /// <summary>Whether it is such a URL. Whether anything may be sent there is judged at each try: names change their addresses.</summary>
    public static bool IsAddress(string? url) =>
        url is { Length: <= LongestUrl } && Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https" && new Uri(url).UserInfo.Length == 0;
}
