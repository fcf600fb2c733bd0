using System.Text;
using Llava.Hosting.Egress;
using Llava.Ledger.Signals;
using Llava.Ledger.Webhooks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Webhooks;

/// <summary>Sends events to where tenants want to be told of them, again and again until they are taken or their time is over.</summary>
internal sealed partial class WebhookLoop(WebhookQueue queue, ILedgerSignal signal, SchedulerOptions scheduler, WebhookOptions options, TimeProvider time, ILogger<WebhookLoop> logger) : BackgroundService
{
    private static readonly TimeSpan BetweenTrims = TimeSpan.FromHours(1);

    private readonly GuardedEgress _egress = new(options.ToEgress(), time);

    public override void Dispose()
    {
        _egress.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Enabled)
        {
            return;
        }

        using var listener = signal.Listen(LedgerTopic.WorkFinished);
        var trimmed = time.GetUtcNow();
        while (true)
        {
            try
            {
                while (await SendDueAsync(stoppingToken))
                {
                }

                if (time.GetUtcNow() - trimmed > BetweenTrims)
                {
                    await queue.TrimAsync(options.Retention, stoppingToken);
                    trimmed = time.GetUtcNow();
                }
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                SendingFailed(failure);
            }

            await listener.WaitAsync(scheduler.Poll, stoppingToken);
        }
    }

    /// <summary>Sends what is due, as many as may be sent at a time.</summary>
    /// <returns>Whether there may be more.</returns>
    private async Task<bool> SendDueAsync(CancellationToken cancellation)
    {
        // A try is over well before another process would think that this one died of it.
        var due = await queue.TakeAsync(2 * options.Timeout, options.Concurrency, cancellation);
        await Task.WhenAll(due.Select(one => SendAsync(one, cancellation)));
        return due.Count == options.Concurrency;
    }

    private async Task SendAsync(DueDelivery due, CancellationToken cancellation)
    {
        var tried = await TryAsync(due, cancellation);
        var state = await queue.NoteAsync(due.Delivery, tried, PauseAfter(due.Delivery.Attempts), cancellation);
        if (state == DeliveryState.Dead)
        {
            GivenUp(due.Delivery.Id, due.Delivery.Type, due.Delivery.Attempts, tried.Error);
        }
    }

    private async Task<DeliveryTry> TryAsync(DueDelivery due, CancellationToken cancellation)
    {
        try
        {
            var status = (int)await _egress.PostAsync(due.Webhook.Url, Encoding.UTF8.GetBytes(due.Delivery.Payload), WebhookSignature.Headers(due, time.GetUtcNow()), cancellation);
            return new(status, status is >= 200 and < 300 ? null : $"It answered with status {status}; events are taken with 200 to 299.");
        }
        catch (Exception failure) when (failure is EgressException or EgressUnreachableException)
        {
            return new(null, failure.Message);
        }
    }

    /// <summary>Twice as long each time, give or take a fifth, so that an address that comes back is not met by everything at once.</summary>
    private TimeSpan PauseAfter(int attempts)
    {
        const int MostDoublings = 20;
        var pause = options.FirstPause * Math.Pow(2, Math.Min(attempts - 1, MostDoublings));
        return (pause < options.LongestPause ? pause : options.LongestPause) * (0.8 + (0.4 * Random.Shared.NextDouble()));
    }

    [LoggerMessage(4070, LogLevel.Error, "Sending events failed; trying again")]
    private partial void SendingFailed(Exception failure);

    [LoggerMessage(4071, LogLevel.Warning, "Delivery {Delivery} of {Type} is given up after {Attempts} tries: {Reason}")]
    private partial void GivenUp(string delivery, string type, int attempts, string? reason);
}
