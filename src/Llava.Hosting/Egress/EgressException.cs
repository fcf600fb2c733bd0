namespace Llava.Hosting.Egress;

/// <summary>An image could not be fetched, and the URL or its server is to blame.</summary>
/// <param name="code">
/// Short snake_case word: <c>url_refused</c>, <c>url_not_found</c>, <c>url_forbidden</c>, <c>url_unavailable</c>, <c>url_timeout</c>,
/// <c>url_too_large</c>, <c>url_not_an_image</c> or <c>url_too_many_redirects</c>.
/// </param>
/// <param name="url">The URL.</param>
/// <param name="reason">What is wrong.</param>
/// <param name="inner">The cause.</param>
public sealed class EgressException(string code, string url, string reason, Exception? inner = null) : Exception($"'{Shorten(url)}' cannot be fetched: {reason}", inner)
{
    /// <summary>Code of a URL that may not be fetched.</summary>
    public const string Refused = "url_refused";

    private const int LongestShown = 200;

    /// <summary>Short snake_case word that can be counted.</summary>
    public string Code { get; } = code;

    /// <summary>Whether another try may help.</summary>
    internal bool IsTransient { get; init; }

    /// <summary>Pause that the server asked for.</summary>
    internal TimeSpan? RetryAfter { get; init; }

    private static string Shorten(string url) => url.Length <= LongestShown ? url : $"{url[..LongestShown]}…";
}

/// <summary>This machine's own network is out of order: no URL is to blame, and all may be tried again later.</summary>
/// <param name="url">The URL.</param>
/// <param name="inner">The cause.</param>
public sealed class EgressUnreachableException(string url, Exception inner) : IOException($"The network did not answer while '{url}' was fetched: {inner.Message}", inner);
