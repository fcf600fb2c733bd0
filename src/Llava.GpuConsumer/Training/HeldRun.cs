using System.Diagnostics;
using Llava.Contracts.States;
using Llava.Ledger.Signals;
using Llava.Ledger.Training;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Training;

/// <summary>
/// A run that this worker has. Its lease is renewed well before it ends; the renewal tells what was asked of the run meanwhile, and
/// <see cref="Stopped"/> asks its work to end in order, also where a run of higher priority waits that nobody else takes. A lost lease is not told here: the next fenced write refuses.
/// </summary>
internal sealed partial class HeldRun : IAsyncDisposable
{
    private const int RenewalsPerLease = 4;

    private readonly TrainingLeases _leases;
    private readonly ILedgerSignal _signal;
    private readonly ILogger _logger;
    private readonly TrainingRunState _expected;
    private readonly TimeSpan _grace;
    private readonly CancellationTokenSource _stopped = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _renewing;

    /// <param name="claimed">The run.</param>
    /// <param name="leases">Keeps the lease.</param>
    /// <param name="signal">Tells of changes.</param>
    /// <param name="grace">How long a more urgent run is left to workers that have none.</param>
    /// <param name="logger">Told why the run is put down.</param>
    public HeldRun(ClaimedTrainingRun claimed, TrainingLeases leases, ILedgerSignal signal, TimeSpan grace, ILogger logger)
    {
        (Run, Lease, _expected, _grace) = (claimed.Run, claimed.Lease, claimed.Run.State, grace);
        (_leases, _signal, _logger) = (leases, signal, logger);
        _renewing = Task.Run(RenewAsync);
    }

    /// <summary>The run as it was claimed.</summary>
    public TrainingRunRecord Run { get; }

    /// <summary>The claim.</summary>
    public TrainingLease Lease { get; }

    /// <summary>Set once the run was paused or cancelled, or is to make room.</summary>
    public CancellationToken Stopped => _stopped.Token;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _renewing;
        _ended.Dispose();
        _stopped.Dispose();
    }

    private async Task RenewAsync()
    {
        using var listener = _signal.Listen(LedgerTopic.TrainingChanged);
        var period = _leases.Duration / RenewalsPerLease;
        (string Run, long Since)? urgent = null;
        while (!_ended.IsCancellationRequested)
        {
            try
            {
                await listener.WaitAsync(urgent is null || period < _grace ? period : _grace, _ended.Token);
                if (await _leases.RenewAsync(Lease, _ended.Token) is { } state && state != _expected)
                {
                    StoppedOnRequest(Run.Id, state);
                    await _stopped.CancelAsync();
                }
                else if (_expected == TrainingRunState.Running && !_stopped.IsCancellationRequested)
                {
                    urgent = await MakeRoomAsync(urgent);
                }
            }
            catch (OperationCanceledException) when (_ended.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                RenewalFailed(Run.Id, failure);
            }
        }
    }

    /// <summary>Looks for a more urgent run that waits; one that still does after a while is made room for.</summary>
    private async Task<(string Run, long Since)?> MakeRoomAsync((string Run, long Since)? seen)
    {
        if (await _leases.FindMoreUrgentAsync(Lease, _ended.Token) is not { } waiting)
        {
            return null;
        }

        if (seen is null || seen.Value.Run != waiting)
        {
            return (waiting, Stopwatch.GetTimestamp());
        }

        if (Stopwatch.GetElapsedTime(seen.Value.Since) >= _grace)
        {
            MakesRoom(Run.Id, waiting);
            await _leases.NoteAsync(Lease, TrainingEventLevel.Info, $"Put down for {waiting}, whose priority is higher; it goes on from here afterwards", _ended.Token);
            await _stopped.CancelAsync();
        }

        return seen;
    }

    [LoggerMessage(3060, LogLevel.Information, "Training run {Run} is put down: {Waiting} has a higher priority")]
    private partial void MakesRoom(string run, string waiting);

    [LoggerMessage(3050, LogLevel.Information, "Training run {Run} is put down: it is {State}")]
    private partial void StoppedOnRequest(string run, TrainingRunState state);

    [LoggerMessage(3051, LogLevel.Error, "The lease on training run {Run} could not be renewed; trying again before it ends")]
    private partial void RenewalFailed(string run, Exception failure);
}
