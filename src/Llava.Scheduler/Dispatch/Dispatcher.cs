using Llava.Contracts.Messages;
using Llava.Hosting.Transport;
using Llava.Ledger.Chunks;
using Llava.Ledger.Workers;
using Llava.Scheduler.Telemetry;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Dispatch;

/// <summary>Fills each model's window: picks chunks fairly, sends them, and notes in the ledger that they went out.</summary>
internal sealed partial class Dispatcher(ChunkDispatch chunks, WorkerRegistry workers, MessageSender sender, SchedulerMetrics metrics, ILogger<Dispatcher> logger)
{
    private const int UsualChunk = 32;
    private const int MostWaiting = 256;

    /// <summary>What a round needs beside the sending.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);

    private readonly FairShare _fairShare = new();

    /// <summary>Fills the windows once, but for those that another scheduler fills at this moment.</summary>
    public async Task DispatchAsync(CancellationToken cancellation)
    {
        foreach (var (model, window) in Window.Of(await workers.LiveAsync(cancellation), UsualChunk))
        {
            await chunks.TryAloneAsync(model, sender.Timeout + Margin, token => FillAsync(model, window, token), cancellation);
        }
    }

    private async Task FillAsync(string model, Window window, CancellationToken cancellation)
    {
        var picked = await PickAsync(model, window, cancellation);
        if (picked.Count == 0)
        {
            return;
        }

        using var activity = SchedulerActivity.StartDispatch(model);
        foreach (var lane in picked.GroupBy(IsExpress))
        {
            await sender.SendAsync(ChunkQueue.AddressFor(model, lane.Key), [.. lane.Select(chunk => new RunChunk(chunk.Job, chunk.ChunkNo, model, chunk.Attempt, lane.Key))], cancellation);
        }

        await chunks.MarkPublishedAsync(picked, cancellation);
        metrics.Dispatched(picked.Count, model);
        Published(picked.Count, model);
    }

    private async Task<List<WaitingChunk>> PickAsync(string model, Window window, CancellationToken cancellation)
    {
        var shares = _fairShare.Begin(await chunks.JobsAsync(model, ChunkQueue.ExpressChunks, cancellation));
        var expressRoom = window.ExpressItems - shares.Sum(share => share.Job.OutstandingExpressItems);
        var room = window.Items - shares.Sum(share => share.Job.OutstandingItems - share.Job.OutstandingExpressItems);
        List<WaitingChunk> picked = [];
        while (_fairShare.Next(shares, share => (IsExpress(share.FirstWaiting) ? expressRoom : room) > 0) is { } share)
        {
            share.Waiting ??= new(await chunks.WaitingAsync(share.Job.Id, MostWaiting, model, cancellation));
            if (!share.Waiting.TryDequeue(out var chunk))
            {
                continue;
            }

            _fairShare.Serve(share, chunk);
            picked.Add(chunk);
            if (IsExpress(chunk))
            {
                expressRoom -= chunk.ItemCount;
            }
            else
            {
                room -= chunk.ItemCount;
            }
        }

        return picked;
    }

    private static bool IsExpress(int? chunkNo) => chunkNo < ChunkQueue.ExpressChunks;

    /// <summary>One that lost an attempt is no longer: it runs alone and must not hold the express queue up.</summary>
    private static bool IsExpress(WaitingChunk chunk) => chunk.Attempt == 0 && IsExpress(chunk.ChunkNo);

    [LoggerMessage(4010, LogLevel.Debug, "Published {Chunks} chunks for model {Model}")]
    private partial void Published(int chunks, string model);
}
