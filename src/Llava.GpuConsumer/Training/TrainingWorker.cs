using Llava.Contracts.States;
using Llava.GpuConsumer.Workers;
using Llava.Ledger;
using Llava.Ledger.Signals;
using Llava.Ledger.Training;
using Llava.ModelCore;
using Llava.ModelCore.Training.Parallel;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Training;

/// <summary>
/// Takes training runs one after the other: one loop checks the files of those that were taken in, so that they fail at once, the other
/// trains. Signals tell of work; what they did not tell is found by looking.
/// </summary>
internal sealed partial class TrainingWorker(
    WorkerIdentity identity, TrainingLeases leases, RunValidation validation, RunTraining training, ILedgerSignal signal, TrainingOptions options, ILogger<TrainingWorker> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(LoopAsync(TrainingPhase.Validate, validation.RunAsync, stoppingToken), LoopAsync(TrainingPhase.Train, training.RunAsync, stoppingToken));

    private async Task LoopAsync(TrainingPhase phase, Func<HeldRun, CancellationToken, Task> work, CancellationToken stopping)
    {
        using var listener = signal.Listen(LedgerTopic.TrainingChanged);
        while (true)
        {
            try
            {
                while (await leases.ClaimAsync(phase, identity.Id, stopping) is { } claimed)
                {
                    await using HeldRun held = new(claimed, leases, signal, options.Poll, logger);
                    await WorkAsync(held, work, stopping);
                }
            }
            catch (Exception failure) when (!stopping.IsCancellationRequested)
            {
                LoopFailed(phase, failure);
            }

            await listener.WaitAsync(options.Poll, stopping);
        }
    }

    private async Task WorkAsync(HeldRun held, Func<HeldRun, CancellationToken, Task> work, CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(held.Stopped, stopping);
        var lease = held.Lease;
        try
        {
            await work(held, either.Token);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            await leases.ReleaseAsync(lease, CancellationToken.None);
        }
        catch (LeaseLostException)
        {
            LeaseLost(held.Run.Id);
        }
        catch (RunRefusedException refused)
        {
            await leases.FailAsync(lease, refused.Failure, refused.Findings, CancellationToken.None);
        }
        catch (LedgerUnreachableException away)
        {
            // Nothing can be written; the lease ends by itself, and the run goes on from its last training checkpoint.
            LoopFailed(held.Run.State == TrainingRunState.Running ? TrainingPhase.Train : TrainingPhase.Validate, away);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException && held.Run.State == TrainingRunState.Running)
        {
            // A full disk is no fault of the run: its last training checkpoint is whole.
            RunFailed(held.Run.Id, failure);
            await leases.PauseAsync(lease, $"{failure.Message} Mend this on the worker and resume the job; it goes on from its last checkpoint.", CancellationToken.None);
        }
        catch (RankLostException lost)
        {
            // As if this process were gone with it, so that a run which takes too much memory is not begun again for ever.
            RunFailed(held.Run.Id, lost);
            await leases.NoteAsync(lease, TrainingEventLevel.Warn, FormattableString.Invariant($"Process {lost.Rank} of the run was lost; the log of its worker says more"), CancellationToken.None);
            await leases.AbandonAsync(lease, CancellationToken.None);
        }
        catch (LlavaException failure)
        {
            RunFailed(held.Run.Id, failure);
            await leases.FailAsync(lease, new("training_failed", failure.Message), cancellation: CancellationToken.None);
        }
        catch (Exception failure)
        {
            RunFailed(held.Run.Id, failure);
            await leases.FailAsync(lease, new("server_error", "The worker failed at this run; its log says why."), cancellation: CancellationToken.None);
        }
    }

    [LoggerMessage(3054, LogLevel.Error, "The loop that is to {Phase} training runs was interrupted; it goes on")]
    private partial void LoopFailed(TrainingPhase phase, Exception failure);

    [LoggerMessage(3055, LogLevel.Warning, "The lease on training run {Run} was lost; another worker goes on from its last training checkpoint")]
    private partial void LeaseLost(string run);

    [LoggerMessage(3056, LogLevel.Error, "Training run {Run} failed")]
    private partial void RunFailed(string run, Exception failure);
}
