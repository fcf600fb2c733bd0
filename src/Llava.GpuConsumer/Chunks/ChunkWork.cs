using System.Diagnostics;
using Llava.Contracts.Messages;
using Llava.GpuConsumer.Reuse;
using Llava.GpuConsumer.Runners;
using Llava.GpuConsumer.Telemetry;
using Llava.GpuConsumer.Workers;
using Llava.Hosting.Transport;
using Llava.Ledger.Chunks;
using Llava.Ledger.Results;
using Llava.Ledger.Telemetry;

namespace Llava.GpuConsumer.Chunks;

/// <summary>What a consumer does with one chunk.</summary>
internal sealed class ChunkWork(ChunkLedger ledger, LeaseKeeper keeper, JobRequests requests, IImageBytes images, WorkerIdentity identity, ConsumerMetrics metrics, TimeProvider time)
{
    /// <summary>Claims the chunk, or finds the claim of the try before; null when there is nothing to do.</summary>
    public async Task<HeldLease?> ClaimAsync(RunChunk message, CancellationToken cancellation)
    {
        if (keeper.Find(message.JobId, message.ChunkNo) is { } held && held.Lease.Attempt == message.Attempt + 1 && held.TryResume())
        {
            return held;
        }

        using var activity = ConsumerActivity.Start("claim chunk");
        var asked = time.GetTimestamp();
        var chunk = await ledger.Leases.ClaimAsync(message.JobId, message.ChunkNo, message.Attempt, identity.Id, cancellation);
        metrics.Claimed(time.GetElapsedTime(asked), message.Model, chunk is not null);
        return chunk is null ? null : keeper.Keep(new(chunk, time.GetTimestamp()) { Express = message.Express });
    }

    /// <summary>Runs what has no result, to the end. When it throws, the lease is still held and rests until the next try.</summary>
    public async Task RunAsync(HeldLease held, string model, IItemRunner runner, CancellationToken cancellation)
    {
        try
        {
            await TryAsync(held, model, runner, cancellation);
            keeper.Forget(held);
        }
        catch
        {
            held.Rest(time.GetTimestamp());
            throw;
        }
    }

    /// <summary>Gives the chunk back.</summary>
    public async Task ReleaseAsync(HeldLease? held, bool countAttempt, string? error = null)
    {
        if (held is not null)
        {
            keeper.Forget(held);
            await ledger.Leases.ReleaseAsync(held.Lease, countAttempt, error, CancellationToken.None);
        }

        if (held is not null && countAttempt)
        {
            // It may have been the last attempt: the search for the poison item need not wait for the next sweep.
            await ledger.Sweep.SweepAsync(CancellationToken.None);
        }
    }

    /// <summary>Gives a chunk back that nothing speaks against. One that was not begun is claimed for that alone: it is handed out again at once, not only when its message counts as lost.</summary>
    public async Task ReturnAsync(RunChunk message, HeldLease? held) => await ReleaseAsync(held ?? await ClaimAsync(message, CancellationToken.None), countAttempt: false);

    private async Task TryAsync(HeldLease held, string model, IItemRunner runner, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, held.Stopped);
        var job = await requests.GetAsync(held.Lease.Job, stop.Token);
        var request = job.Request;
        using var activity = ConsumerActivity.StartChunk(held.Lease, job);
        var asked = held.Lease.Model ?? request.Model;
        if (asked != model)
        {
            throw new MalformedMessageException($"RunChunk asks model '{model}' for chunk {held.Lease.ChunkNo} of job '{held.Lease.Job}', which is for model '{asked}'.");
        }

        var items = held.Untried ?? await ledger.Leases.MissingItemsAsync(held.Lease, stop.Token);
        held.Untried = null;
        var reuse = request.Deduplicate || request.Cache ? await ReusingRunner.PrepareAsync(runner, images, ledger.Cache, held.Lease.Job, request, items, stop.Token) : null;
        await new ChunkRun(ledger, held, request, runner, reuse, metrics, time).RunAsync(items, stop.Token);
    }
}

/// <summary>The verbs of the ledger that a chunk needs.</summary>
internal sealed record ChunkLedger(ChunkLeases Leases, ResultWriter Results, LeaseSweep Sweep, ResultCache Cache, LedgerMetrics Metrics);
