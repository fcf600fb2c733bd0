using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Llava.Contracts.Interactive;
using Llava.Hosting.Interactive;

namespace Llava.Dashboard.Interactive;

/// <summary>Asks a consumer by its endpoint (<see cref="InteractiveWire"/>).</summary>
internal sealed class ConsumerClient : IDisposable
{
    private readonly ChatOptions _options;
    private readonly HttpClient _http;
    private readonly string? _secret;

    public ConsumerClient(ChatOptions options)
    {
        _options = options;
        _secret = options.ReadSecret();
        _http = new(new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
        })
        {
            // Silence ends an answer, not its length.
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Asks for a chat; whoever stops reading closes the connection, which ends it.</summary>
    /// <exception cref="InteractiveException">It came to nothing.</exception>
    public async IAsyncEnumerable<ChatEvent> ChatAsync(string url, ChatRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var response = await PostAsync(url + InteractiveWire.ChatPath, request, _options.Silence, cancellation);
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(cancellation));
        ChatEvent? said;
        do
        {
            said = await NextAsync(lines, cancellation);
            if (said is not ChatPing)
            {
                yield return said;
            }
        }
        while (said is not ChatEnded);
    }

    /// <summary>Asks for embeddings.</summary>
    /// <exception cref="InteractiveException">It came to nothing.</exception>
    public async Task<EmbeddingAnswer> EmbedAsync(string url, EmbeddingRequest request, CancellationToken cancellation)
    {
        // Nothing is said between two images, so each has the time.
        var patience = _options.Silence * request.Images.Count;
        using var response = await PostAsync(url + InteractiveWire.EmbeddingPath, request, patience, cancellation);
        var reply = await WatchedAsync(token => response.Content.ReadFromJsonAsync<EmbeddingReply>(InteractiveWire.Json, token), patience, cancellation);
        return reply?.Answer ?? throw new InteractiveException(reply?.Error ?? Lost);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> PostAsync<T>(string url, T request, TimeSpan patience, CancellationToken cancellation)
    {
        if (_secret is null)
        {
            throw Unavailable("chat_not_configured", "This dashboard has no secret to show to consumers; set Llava:Chat:Secret or Llava:Chat:SecretFile as on the consumers.");
        }

        using HttpRequestMessage message = new(HttpMethod.Post, url) { Content = JsonContent.Create(request, options: InteractiveWire.Json) };
        message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _secret);
        var response = await WatchedAsync(token => _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, token), patience, cancellation);
        if (response.StatusCode == HttpStatusCode.OK)
        {
            return response;
        }

        using (response)
        {
            throw response.StatusCode == HttpStatusCode.Unauthorized
                ? Unavailable("consumer_refused", "The consumer does not know this dashboard's secret; give both the same Llava:Chat:Secret.")
                : Unavailable("consumer_refused", FormattableString.Invariant($"The consumer answered with status {(int)response.StatusCode}; dashboard and consumers must have the same version."));
        }
    }

    private async Task<ChatEvent> NextAsync(StreamReader lines, CancellationToken cancellation)
    {
        var line = await WatchedAsync(token => lines.ReadLineAsync(token).AsTask(), _options.Silence, cancellation) ?? throw new InteractiveException(Lost);
        try
        {
            return JsonSerializer.Deserialize<ChatEvent>(line, InteractiveWire.Json) switch
            {
                ChatFailed failed => throw new InteractiveException(failed.Error),
                { } said => said,
                null => throw new JsonException("null"),
            };
        }
        catch (JsonException broken)
        {
            // A line that was cut off by the consumer's death, most likely.
            throw new InteractiveException(Lost, broken);
        }
    }

    /// <summary>Gives a consumer up that says nothing for too long.</summary>
    private static async Task<T> WatchedAsync<T>(Func<CancellationToken, Task<T>> ask, TimeSpan patience, CancellationToken cancellation)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        silence.CancelAfter(patience);
        try
        {
            return await ask(silence.Token);
        }
        catch (OperationCanceledException stalled) when (!cancellation.IsCancellationRequested)
        {
            throw new InteractiveException(new(InteractiveFailure.Unavailable, "consumer_stalled",
                FormattableString.Invariant($"The consumer said nothing for {patience.TotalSeconds:0.#} s and was given up; ask again."), null, 1), stalled);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            throw new InteractiveException(Lost, broken);
        }
    }

    private static InteractiveError Lost { get; } = new(
        InteractiveFailure.Unavailable, "consumer_lost", "The consumer cannot be reached, or went away before its answer was complete; ask again.", null, 1);

    private static InteractiveException Unavailable(string code, string message) => new(new(InteractiveFailure.Unavailable, code, message));
}
