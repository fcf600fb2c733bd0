using System.Net;
using System.Net.Sockets;

namespace Llava.Hosting.Egress;

/// <summary>
/// Fetches images by URL, and posts events. The connection is made to an address that was checked, so neither a name that changes its address nor an odd
/// spelling leads inside; every redirect is checked anew. Nothing is sent but the request: no cookies, no credentials, no proxy.
/// </summary>
public sealed class GuardedEgress : IDisposable
{
    private const int MostRedirects = 5;

    private readonly EgressOptions _options;
    private readonly EgressRules _rules;
    private readonly HostGates _gates;
    private readonly TimeProvider _time;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;
    private readonly HttpClient _http;

    /// <param name="options">What may be fetched.</param>
    /// <param name="time">Clock of the pauses.</param>
    /// <param name="resolve">Finds a host's addresses; null asks the system.</param>
    public GuardedEgress(EgressOptions options, TimeProvider time, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        (_options, _rules, _time) = (options, new(options), time);
        _resolve = resolve ?? Dns.GetHostAddressesAsync;
        _gates = new(options.ConcurrencyPerHost, options.Concurrency);
        _http = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = options.ConnectTimeout,
            MaxResponseHeadersLength = 32,
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            ConnectCallback = ConnectAsync,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _http.DefaultRequestHeaders.Add("User-Agent", "Llava.Batch (image fetcher)");
        _http.DefaultRequestHeaders.Add("Accept", "image/*");
        _http.DefaultRequestHeaders.Add("Accept-Encoding", "identity");
    }

    /// <summary>The bytes at a URL; whether they are an image, the decoder says.</summary>
    /// <exception cref="EgressException">The URL may not be fetched, or cannot be.</exception>
    /// <exception cref="EgressUnreachableException">This machine's network is out of order.</exception>
    public async Task<byte[]> FetchAsync(string url, CancellationToken cancellation)
    {
        var start = _rules.Require(url);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await _gates.EnterAsync(start.IdnHost, () => TryAsync(start, token => FollowAsync(start, token), cancellation), cancellation);
            }
            catch (EgressException failure) when (failure.IsTransient && attempt < _options.Retries && (failure.RetryAfter ?? TimeSpan.Zero) <= _options.LongestPause)
            {
                var pause = failure.RetryAfter ?? (_options.FirstPause * (1 << attempt));
                await Task.Delay(pause > TimeSpan.Zero ? pause : TimeSpan.Zero, _time, cancellation);
            }
        }
    }

    /// <summary>Posts JSON, once; redirects are not followed and what is answered is not read.</summary>
    /// <param name="url">Where to.</param>
    /// <param name="json">The body.</param>
    /// <param name="headers">Headers beside those of the body.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The HTTP status of the answer.</returns>
    /// <exception cref="EgressException">The URL may not be asked, or nobody answers there.</exception>
    /// <exception cref="EgressUnreachableException">This machine's network is out of order.</exception>
    public Task<HttpStatusCode> PostAsync(string url, byte[] json, IReadOnlyDictionary<string, string> headers, CancellationToken cancellation)
    {
        var target = _rules.Require(url);
        return _gates.EnterAsync(target.IdnHost, () => TryAsync(target, token => SendAsync(target, json, headers, token), cancellation), cancellation);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        _gates.Dispose();
    }

    private async Task<T> TryAsync<T>(Uri url, Func<CancellationToken, Task<T>> ask, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_options.Timeout);
        try
        {
            return await ask(limit.Token);
        }
        catch (HttpRequestException failure) when (failure.InnerException is EgressException refused)
        {
            throw new EgressException(refused.Code, url.OriginalString, "its host leads to an address that is not public.", refused);
        }
        catch (OperationCanceledException failure) when (!cancellation.IsCancellationRequested)
        {
            throw new EgressException("url_timeout", url.OriginalString, FormattableString.Invariant($"its server did not connect within {_options.ConnectTimeout.TotalSeconds} s or did not answer within {_options.Timeout.TotalSeconds} s."), failure) { IsTransient = true };
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException and not EgressUnreachableException)
        {
            throw Blame(url, failure);
        }
    }

    private static Exception Blame(Uri url, Exception failure) => failure.GetBaseException() is SocketException socket
        ? socket.SocketErrorCode switch
        {
            SocketError.HostNotFound or SocketError.NoData => new EgressException("url_not_found", url.OriginalString, $"there is no host '{url.IdnHost}'.", failure),
            SocketError.TryAgain or SocketError.NetworkDown or SocketError.NetworkUnreachable => new EgressUnreachableException(url.OriginalString, failure),
            _ => new EgressException("url_unavailable", url.OriginalString, $"the connection failed: {socket.Message}.", failure) { IsTransient = true },
        }
        : new EgressException("url_unavailable", url.OriginalString, $"the connection failed: {failure.Message}", failure) { IsTransient = true };

    private async Task<HttpStatusCode> SendAsync(Uri url, byte[] json, IReadOnlyDictionary<string, string> headers, CancellationToken cancellation)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, url) { Content = new ByteArrayContent(json) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.UserAgent.ParseAdd("Llava.Batch (webhooks)");
        request.Headers.Accept.ParseAdd("*/*");
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        return response.StatusCode;
    }

    private async Task<byte[]> FollowAsync(Uri url, CancellationToken cancellation)
    {
        var next = url;
        for (var redirects = 0; redirects <= MostRedirects; redirects++)
        {
            using HttpRequestMessage request = new(HttpMethod.Get, next);
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (response.StatusCode is not (HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect))
            {
                return await ResponseImage.ReadAsync(url.OriginalString, response, _options.MaxBytes, _time, cancellation);
            }

            var location = response.Headers.Location ?? throw new EgressException("url_unavailable", url.OriginalString, "its server redirects to nowhere.");
            next = _rules.Require(new Uri(next, location));
        }

        throw new EgressException("url_too_many_redirects", url.OriginalString, $"its server redirects more than {MostRedirects} times.");
    }

    /// <summary>Connects to an address that was checked a moment ago. A host with one address inside is refused whole.</summary>
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await _resolve(host, cancellation);
        if (addresses.Length == 0)
        {
            throw new SocketException((int)SocketError.HostNotFound);
        }

        if (!Array.TrueForAll(addresses, _rules.Allows))
        {
            throw new EgressException(EgressException.Refused, host, "it leads to an address that is not public.");
        }

        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
