using System.Globalization;
using Llava.Ledger.Training;
using Llava.ModelCore.Training;

namespace Llava.GpuConsumer.Training;

/// <summary>
/// Writes what a run comes to into the ledger, step by step, before the next step begins: a checkpoint is never known before the steps
/// it is made of. The training thread waits for it.
/// </summary>
internal sealed class LedgerObserver(TrainingLeases leases, TrainingLease lease, YieldGate gate, int keptCheckpoints, TimeProvider time) : ITrainingObserver
{
    private const string CheckpointPrefix = "checkpoint-";

    public void OnStarted(TrainingPlan plan) => Require(leases.NoteAsync(
        lease,
        TrainingEventLevel.Info,
        string.Create(CultureInfo.InvariantCulture, $"Memory: about {plan.Memory}; micro-batch {plan.MicroBatch} × {plan.GradientAccumulation}, {plan.RecomputedLayers} layers computed twice")));

    public TimeSpan OnStepDue(CancellationToken stopping) => gate.Wait(stopping);

    public void OnStep(TrainingProgress progress) => Require(leases.AdvanceAsync(
        lease,
        new()
        {
            Step = progress.Step,
            Loss = progress.Loss,
            Accuracy = progress.Accuracy,
            LearningRate = progress.LearningRate,
            GradientNorm = progress.GradientNorm,
            Tokens = progress.Positions,
            TokensPerSecond = progress.TokensPerSecond,
            Waited = progress.Waited,
            ValidLoss = progress.Validation?.Loss,
            ValidAccuracy = progress.Validation?.Accuracy,
        },
        progress.Steps,
        time.GetUtcNow() + progress.Remaining));

    public void OnCheckpoint(string folder) => Require(leases.CheckpointAsync(
        lease, int.Parse(Path.GetFileName(folder)[CheckpointPrefix.Length..], CultureInfo.InvariantCulture), keptCheckpoints));

    private void Require(Task<bool> written)
    {
        if (!written.GetAwaiter().GetResult())
        {
            throw new LeaseLostException(lease.Run);
        }
    }
}

/// <summary>Another worker has the run: this one stops at once and leaves everything as it is.</summary>
/// <param name="run">Its id.</param>
public sealed class LeaseLostException(string run) : Exception($"The lease on training run '{run}' was lost; another worker has it.");
