using Llava.Contracts.Messages;
using Llava.Hosting.Transport;
using Llava.Ledger.Chunks;
using Llava.Ledger.Workers;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Dispatch;

/// <summary>Fills each model's window: picks chunks fairly, publishes them, and notes in the ledger that they went out.</summary>
internal sealed partial class Dispatcher(ChunkDispatch chunks, WorkerRegistry workers, MessageSender sender, ILogger<Dispatcher> logger)
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

    private async Task FillAsync(string model, int window, CancellationToken cancellation)
    {
        if (await PickAsync(model, window, cancellation) is { Count: > 0 } picked)
        {
            await sender.SendAsync(ChunkQueue.AddressFor(model), [.. picked.Select(chunk => new RunChunk(chunk.Job, chunk.ChunkNo, model, chunk.Attempt))], cancellation);
            await chunks.MarkPublishedAsync(picked, cancellation);
            Published(picked.Count, model);
        }
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

    [LoggerMessage(4010, LogLevel.Debug, "Published {Chunks} chunks for model {Model}")]
    private partial void Published(int chunks, string model);
}
