using System.Collections.Concurrent;
using Llava.Contracts;
using Llava.Ledger.Chunks;
using Llava.Ledger.Signals;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Chunks;

/// <summary>
/// Renews every lease in work well before it ends, in one commit, and stops the work whose lease was lost or whose job was
/// paused or cancelled. A lease that rests between two tries is renewed too, but not for ever: the next try never comes when
/// the broker went away meanwhile and gave the message to another consumer.
/// </summary>
internal sealed partial class LeaseKeeper(ChunkLeases leases, ILedgerSignal signal, ConsumerOptions options, TimeProvider time, ILogger<LeaseKeeper> logger) : BackgroundService
{
    private const int RenewalsPerLease = 4;

    private readonly TimeSpan _longestRest = options.LongestPause + leases.Duration;

    private readonly ConcurrentDictionary<(JobId Job, int ChunkNo), HeldLease> _held = [];

    /// <summary>Keeps the lease until <see cref="Forget"/>.</summary>
    public HeldLease Keep(HeldLease held) => _held[(held.Lease.Job, held.Lease.ChunkNo)] = held;

    /// <summary>The lease that an earlier try of the same message took and still holds.</summary>
    public HeldLease? Find(JobId job, int chunkNo) => _held.GetValueOrDefault((job, chunkNo));

    /// <summary>Renews it no more.</summary>
    public void Forget(HeldLease held)
    {
        if (_held.TryRemove(new((held.Lease.Job, held.Lease.ChunkNo), held)))
        {
            held.Dispose();
        }
    }

    /// <summary>Gives back what is still held once the bus has drained, such as chunks that waited for another try.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        foreach (var held in _held.Values.ToList())
        {
            Forget(held);
            await leases.ReleaseAsync(held.Lease, countAttempt: false, cancellation: cancellationToken);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var listener = signal.Listen(LedgerTopic.JobControlled);
        while (true)
        {
            await listener.WaitAsync(leases.Duration / RenewalsPerLease, stoppingToken);
            try
            {
                await GiveUpRestingAsync(stoppingToken);
                await RenewAsync(stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                RenewalFailed(failure);
            }
        }
    }

    private async Task GiveUpRestingAsync(CancellationToken cancellation)
    {
        foreach (var held in _held.Values.Where(held => held.RestsSince is { } since && time.GetElapsedTime(since) > _longestRest).ToList())
        {
            if (held.TryResume())
            {
                Forget(held);
                await leases.ReleaseAsync(held.Lease, countAttempt: false, cancellation: cancellation);
                RestGivenUp(held.Lease.Job, held.Lease.ChunkNo);
            }
        }
    }

    private async Task RenewAsync(CancellationToken cancellation)
    {
        var held = _held.Values.ToList();
        if (held.Count == 0)
        {
            return;
        }

        var standings = await leases.RenewAsync([.. held.Select(one => one.Lease)], cancellation);
        foreach (var (one, standing) in held.Zip(standings))
        {
            // A chunk that ended meanwhile looks lost; it is no longer kept and nobody listens.
            if (standing != LeaseStanding.Held && _held.ContainsKey((one.Lease.Job, one.Lease.ChunkNo)))
            {
                Stop(one);
                WorkStopped(one.Lease.Job, one.Lease.ChunkNo, standing);
            }
        }
    }

    private static void Stop(HeldLease held)
    {
        try
        {
            held.Stop();
        }
        catch (ObjectDisposedException)
        {
            // It ended between the look and the stop.
        }
    }

    [LoggerMessage(3010, LogLevel.Error, "Leases could not be renewed; trying again before they end")]
    private partial void RenewalFailed(Exception failure);

    [LoggerMessage(3012, LogLevel.Warning, "Chunk {Chunk} of job {Job} was left to another try that never came; it is given back")]
    private partial void RestGivenUp(JobId job, int chunk);

    [LoggerMessage(3011, LogLevel.Information, "Chunk {Chunk} of job {Job} is put down: its lease is {Standing}")]
    private partial void WorkStopped(JobId job, int chunk, LeaseStanding standing);
}
