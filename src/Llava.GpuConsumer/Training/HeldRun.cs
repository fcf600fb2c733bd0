using Llava.Contracts.States;
using Llava.Ledger.Signals;
using Llava.Ledger.Training;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Training;

/// <summary>
/// A run that this worker has. Its lease is renewed well before it ends; the renewal tells what was asked of the run meanwhile, and
/// <see cref="Stopped"/> asks its work to end in order. A lost lease is not told here: the next fenced write refuses.
/// </summary>
internal sealed partial class HeldRun : IAsyncDisposable
{
    private const int RenewalsPerLease = 4;

    private readonly TrainingLeases _leases;
    private readonly ILedgerSignal _signal;
    private readonly ILogger _logger;
    private readonly TrainingRunState _expected;
    private readonly CancellationTokenSource _stopped = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _renewing;

    public HeldRun(ClaimedTrainingRun claimed, TrainingLeases leases, ILedgerSignal signal, ILogger logger)
    {
        (Run, Lease, _expected) = (claimed.Run, claimed.Lease, claimed.Run.State);
        (_leases, _signal, _logger) = (leases, signal, logger);
        _renewing = Task.Run(RenewAsync);
    }

    /// <summary>The run as it was claimed.</summary>
    public TrainingRunRecord Run { get; }

    /// <summary>The claim.</summary>
    public TrainingLease Lease { get; }

    /// <summary>Set once the run was paused or cancelled.</summary>
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
        while (!_ended.IsCancellationRequested)
        {
            try
            {
                await listener.WaitAsync(_leases.Duration / RenewalsPerLease, _ended.Token);
                if (await _leases.RenewAsync(Lease, _ended.Token) is { } state && state != _expected)
                {
                    StoppedOnRequest(Run.Id, state);
                    await _stopped.CancelAsync();
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

    [LoggerMessage(3050, LogLevel.Information, "Training run {Run} is put down: it is {State}")]
    private partial void StoppedOnRequest(string run, TrainingRunState state);

    [LoggerMessage(3051, LogLevel.Error, "The lease on training run {Run} could not be renewed; trying again before it ends")]
    private partial void RenewalFailed(string run, Exception failure);
}
