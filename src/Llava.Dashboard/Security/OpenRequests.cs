using System.Collections.Concurrent;
using System.Security.Claims;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.Dashboard.Security;

/// <summary>
/// Ends what a sign-in or a key has open, such as streams of events, when it holds no more. Short requests were judged when they came and are
/// left alone.
/// </summary>
internal sealed partial class OpenRequests(SignIns signIns, ApiKeys keys, TimeProvider time, ILogger<OpenRequests> logger) : BackgroundService
{
    private static readonly TimeSpan LooksEvery = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<OpenRequest, Holder> _open = [];

    /// <summary>Keeps an eye on the requests of those who come by a sign-in or a key. Authentication stands before it.</summary>
    public static void Use(IApplicationBuilder app)
    {
        var requests = app.ApplicationServices.GetRequiredService<OpenRequests>();
        app.Use((context, next) => requests.RunAsync(context, next));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(LooksEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await EndAsync(stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                NotLooked(failure);
            }
        }
    }

    private async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        Holder holder = new(context.User.FindFirstValue(PageSession.IdClaim), context.User.FindFirstValue(ClaimTypes.NameIdentifier));
        if (holder is { SignIn: null, Key: null })
        {
            await next(context);
            return;
        }

        using OpenRequest request = new(context, time.GetTimestamp());
        _open[request] = holder;
        try
        {
            await next(context);
        }
        finally
        {
            _open.TryRemove(request, out _);
        }
    }

    private async Task EndAsync(CancellationToken cancellation)
    {
        var old = _open.Where(open => time.GetElapsedTime(open.Key.StartedAt) >= LooksEvery).ToLookup(open => open.Value, open => open.Key);
        // Asked once for all, so that many streams cost the ledger no more than one.
        var held = old.Any(requests => requests.Key.SignIn is not null) ? await signIns.HoldingAsync(cancellation) : [];
        var good = old.Any(requests => requests.Key.SignIn is null) ? await keys.HoldingAsync(cancellation) : [];
        foreach (var requests in old.Where(requests => !(requests.Key.SignIn is { } signIn ? held.Contains(signIn) : good.Contains(requests.Key.Key!))))
        {
            requests.ToList().ForEach(request => request.Abort());
            Ended(requests.Count(), requests.Key.Key ?? "link");
        }
    }

    [LoggerMessage(5030, LogLevel.Information, "{Requests} open requests of key {Key} were ended: it holds no more, or its holder signed out")]
    private partial void Ended(int requests, string key);

    [LoggerMessage(5031, LogLevel.Warning, "Whether open requests may go on could not be asked")]
    private partial void NotLooked(Exception failure);

    private sealed record Holder(string? SignIn, string? Key);

    /// <summary>A request that is being answered. The server uses its context again for another, so nobody touches it after the end.</summary>
    private sealed class OpenRequest(HttpContext context, long startedAt) : IDisposable
    {
        private readonly Lock _ending = new();
        private bool _isOver;

        public long StartedAt { get; } = startedAt;

        public void Abort()
        {
            lock (_ending)
            {
                if (!_isOver)
                {
                    context.Abort();
                }
            }
        }

        public void Dispose()
        {
            lock (_ending)
            {
                _isOver = true;
            }
        }
    }
}
