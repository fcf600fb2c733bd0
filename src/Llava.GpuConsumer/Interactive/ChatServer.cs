using System.Net;
using System.Security.Cryptography;
using System.Text;
using Llava.Contracts.Interactive;
using Llava.Hosting.Interactive;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Interactive;

/// <summary>
/// The consumer's own HTTP endpoint for dashboards, on a port of its own and open to whoever shows the secret; without a secret there is none.
/// </summary>
internal sealed partial class ChatServer(InteractiveDesk desk, ChatOptions options, TimeProvider time, ILoggerFactory loggers) : IHostedService, IAsyncDisposable
{
    private const int MaxBodyBytes = 256 << 20;

    private readonly ILogger _logger = loggers.CreateLogger<ChatServer>();
    private WebApplication? _app;

    /// <summary>Where dashboards reach it; null while it is not open.</summary>
    public string? Url { get; private set; }

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.ReadSecret() is not { } secret)
        {
            return;
        }

        var address = IPAddress.Parse(options.Address);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
            kestrel.Listen(address, options.Port);
        });
        builder.Services.AddSingleton(loggers).AddRoutingCore();
        _app = builder.Build();
        var known = Hash(secret);
        _app.Use((context, next) => IsKnown(context.Request, known) ? next(context) : RefuseAsync(context));
        _app.UseRouting();
        ChatEndpoint endpoint = new(desk, time, _logger);
        _app.MapPost(InteractiveWire.ChatPath, endpoint.ChatAsync);
        _app.MapPost(InteractiveWire.EmbeddingPath, endpoint.EmbedAsync);
        await _app.StartAsync(cancellationToken);
        Url = options.Url is { Length: > 0 } url ? url.TrimEnd('/') : Announced(address, new Uri(_app.Urls.First()).Port);
        Listening(Url);
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => _app?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static string Announced(IPAddress address, int port)
    {
        var isAny = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
        return new UriBuilder(Uri.UriSchemeHttp, isAny ? Dns.GetHostName() : address.ToString(), port).Uri.GetLeftPart(UriPartial.Authority);
    }

    // Hashes have one length, so the comparison's time tells nothing of the secret's.
    private static bool IsKnown(HttpRequest request, byte[] known)
    {
        const string Bearer = "Bearer ";
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith(Bearer, StringComparison.Ordinal) && CryptographicOperations.FixedTimeEquals(Hash(header[Bearer.Length..]), known);
    }

    private static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    private static Task RefuseAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        return Task.CompletedTask;
    }

    [LoggerMessage(3040, LogLevel.Information, "Interactive requests are taken at {Url}")]
    private partial void Listening(string url);
}
