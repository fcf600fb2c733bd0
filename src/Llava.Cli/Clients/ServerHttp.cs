using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;

namespace Llava.Cli.Clients;

/// <summary>
/// Requests to a server's API. All of them may be sent twice, so what fails on the way or for a moment is tried again for a few seconds.
/// </summary>
internal sealed class ServerHttp : IDisposable
{
    private const string Json = "application/json";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan[] Pauses = [.. ((int[])[200, 400, 800, 1600, 3200]).Select(pause => TimeSpan.FromMilliseconds(pause))];

    private readonly HttpClient _http;
    private readonly ServerKey _key;

    public ServerHttp(Uri server, ServerKey key)
    {
        (Server, _key) = (server, key);
        _http = new(new SocketsHttpHandler
        {
            // A redirected request would lose its key or its body.
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
        {
            BaseAddress = new(server, "api/v1/"),
            Timeout = Timeout.InfiniteTimeSpan, // each request has its own, which results may exceed
        };
        if (key.Secret is { } secret)
        {
            _http.DefaultRequestHeaders.Authorization = new("Bearer", secret);
        }
    }

    public Uri Server { get; }

    /// <summary>The answer to a GET.</summary>
    public Task<T> GetAsync<T>(string path, CancellationToken cancellationToken) => ReadAsync<T>(() => new(HttpMethod.Get, path), cancellationToken);

    /// <summary>The answer to a POST.</summary>
    public Task<T> PostAsync<T>(string path, object? body, CancellationToken cancellationToken) => ReadAsync<T>(() => Post(path, body), cancellationToken);

    /// <summary>The answer to a POST, and its status.</summary>
    public async Task<(HttpStatusCode Status, T Answer)> PostForStatusAsync<T>(string path, object? body, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(() => Post(path, body), HttpCompletionOption.ResponseContentRead, cancellationToken);
        return (response.StatusCode, await ReadAsync<T>(response, cancellationToken));
    }

    /// <summary>An answer whose body is still to come.</summary>
    public Task<HttpResponseMessage> OpenAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(() => new(HttpMethod.Get, path), HttpCompletionOption.ResponseHeadersRead, cancellationToken);

    /// <summary>How long to wait before the next try; null when there were enough.</summary>
    public static TimeSpan? PauseAfter(int tries) => tries < Pauses.Length ? Pauses[tries] : null;

    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage Post(string path, object? body) => new(HttpMethod.Post, path)
    {
        Content = body is null ? null : new StringContent(JsonSerializer.Serialize(body, body.GetType(), RequestJson.Options), Encoding.UTF8, Json),
    };

    private async Task<T> ReadAsync<T>(Func<HttpRequestMessage> request, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
        return await ReadAsync<T>(response, cancellationToken);
    }

    private async Task<T> ReadAsync<T>(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        try
        {
            return JsonSerializer.Deserialize<T>(text, RequestJson.Options) ?? throw new JsonException("null");
        }
        catch (JsonException broken)
        {
            throw ServerAnswers.NotOurs(Server, response, broken);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> makeRequest, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        for (var tries = 0; ; tries++)
        {
            using var request = makeRequest();
            TimeSpan pause;
            try
            {
                var response = await SendOnceAsync(request, completion, cancellationToken);
                if (response.IsSuccessStatusCode)
                {
                    return response;
                }

                using (response)
                {
                    if (!IsPassing(response.StatusCode) || PauseAfter(tries) is not { } next)
                    {
                        throw await ServerAnswers.RefusalAsync(Server, _key, response, cancellationToken);
                    }

                    pause = WaitAsked(response.Headers.RetryAfter) ?? next;
                }
            }
            catch (Exception failure) when (failure is HttpRequestException or TimeoutException)
            {
                pause = PauseAfter(tries) ?? throw ServerAnswers.Unreachable(Server, tries + 1, failure);
            }

            await Task.Delay(pause, cancellationToken);
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            return await _http.SendAsync(request, completion, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"no answer within {Patience.TotalSeconds:0} s");
        }
    }

    private static bool IsPassing(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    private static TimeSpan? WaitAsked(RetryConditionHeaderValue? header) => header?.Delta is { } asked ? asked < LongestWait ? asked : LongestWait : null;
}
