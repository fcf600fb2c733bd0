using Llava.Contracts.Messages;
using Llava.Hosting.Transport;
using Llava.Ledger.Chunks;
using Llava.Ledger.Workers;
using Llava.Scheduler.Telemetry;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Dispatch;

/// <summary>Fills each model's window: picks chunks fairly, publishes them, and notes in the ledger that they went out.</summary>
internal sealed partial class Dispatcher(ChunkDispatch chunks, WorkerRegistry workers, MessageSender sender, SchedulerMetrics metrics, ILogger<Dispatcher> logger)
{
    private const int UsualChunk = 32;
    private const int MostWaiting = 256;

    private readonly FairShare _fairShare = new();

    /// <summary>Fills the windows once.</summary>
    /// <returns>Chunks that went out.</returns>
    public async Task<int> DispatchAsync(CancellationToken cancellation)
    {
        var sent = 0;
        foreach (var (model, window) in Window.Of(await workers.LiveAsync(cancellation), UsualChunk))
        {
            var picked = await PickAsync(model, window, cancellation);
            if (picked.Count > 0)
            {
                using var activity = SchedulerActivity.StartDispatch(model);
                var published = await chunks.PublishAsync(picked, (mine, token) => SendAsync(model, mine, token), cancellation);
                metrics.Dispatched(published, model);
                sent += published;
            }
        }

        return sent;
    }

    private async Task<List<WaitingChunk>> PickAsync(string model, int window, CancellationToken cancellation)
    {
        var shares = _fairShare.Begin(await chunks.JobsAsync(model, cancellation));
        var room = window - shares.Sum(share => share.Job.OutstandingItems);
        List<WaitingChunk> picked = [];
        while (room > 0 && _fairShare.Next(shares) is { } share)
        {
            share.Waiting ??= new(await chunks.WaitingAsync(share.Job.Id, MostWaiting, cancellation));
            if (share.Waiting.TryDequeue(out var chunk))
            {
                _fairShare.Serve(share, chunk);
                picked.Add(chunk);
                room -= chunk.ItemCount;
            }
        }

        return picked;
    }

    private async Task SendAsync(string model, IReadOnlyList<WaitingChunk> picked, CancellationToken cancellation)
    {
        await sender.SendAsync(ChunkQueue.AddressFor(model), [.. picked.Select(chunk => new RunChunk(chunk.Job, chunk.ChunkNo, model, chunk.Attempt))], cancellation);
        Published(picked.Count, model);
    }

    [LoggerMessage(4010, LogLevel.Debug, "Published {Chunks} chunks for model {Model}")]
    private partial void Published(int chunks, string model);
}
