using System.Text;
using Llava.GpuConsumer.Training.Processes;
using Llava.Ledger.Files;
using Llava.Ledger.Training;
using Llava.ModelCore.Training;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Training;

/// <summary>Trains a run to its end, or until it is paused, cancelled, or this process ends.</summary>
internal sealed partial class RunTraining(
    TrainingLeases leases,
    TrainingRuns runs,
    FileStore files,
    TrainingRecipes recipes,
    TrainingFolders folders,
    TrainingProgram program,
    YieldGate gate,
    TrainingOptions options,
    TimeProvider time,
    ILogger<RunTraining> logger)
{
    /// <summary>Trains a claimed run.</summary>
    /// <param name="held">The run.</param>
    /// <param name="cancellation">Puts the run down at its next step; it is given back.</param>
    public async Task RunAsync(HeldRun held, CancellationToken cancellation)
    {
        var (run, lease) = (held.Run, held.Lease);
        if (run.Losses >= options.MaxLosses)
        {
            throw new RunRefusedException(new("worker_lost", FormattableString.Invariant(
                $"{run.Losses} workers were lost on this run without a new training checkpoint in between, the last one after step {run.Step}. Their logs say more; a smaller batch_size takes less memory.")));
        }

        var output = folders.ModelFolder(run.Model);
        var recipe = FineTuning.ShareOut(recipes.Of(run, run.Resolved!), output, options.Processes, options.Zero);
        recipe = options.OffloadOptimizer ? FineTuning.Offload(recipe) : recipe;
        var recipeFile = Path.Combine(folders.RunFolder(run.Id), "recipe.json");
        await File.WriteAllTextAsync(recipeFile, recipe.ToJson(), cancellation);
        Directory.CreateDirectory(output);
        await leases.NoteAsync(lease, TrainingEventLevel.Info, run.Step == 0 ? "Fine-tuning job started" : FormattableString.Invariant($"Fine-tuning job goes on from its last checkpoint; it was at step {run.Step}"), cancellation);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(held.Stopped, cancellation);
        LedgerObserver observer = new(leases, lease, gate, options.Checkpoints, time);
        var outcome = await SharedTraining.RunAsync(recipe, recipeFile, output, program, observer, stop.Token);
        if (outcome.IsComplete)
        {
            await FinishAsync(run, lease);
        }
        else
        {
            PutDown(run.Id, outcome.Steps);
            await leases.ReleaseAsync(lease, CancellationToken.None);
        }
    }

    /// <summary>The steps as OpenAI's result file has them; then the model is there for everybody.</summary>
    private async Task FinishAsync(TrainingRunRecord run, TrainingLease lease)
    {
        var steps = await runs.MetricsAsync(run.Id);
        StringBuilder csv = new("step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n");
        foreach (var step in steps)
        {
            csv.Append(FormattableString.Invariant($"{step.Step},{step.Loss},{step.Accuracy},{step.ValidLoss},{step.ValidAccuracy}\n"));
        }

        using MemoryStream content = new(Encoding.UTF8.GetBytes(csv.ToString()));
        var file = await files.CreateAsync(run.Request.Tenant, new("step_metrics.csv", "fine-tune-results"), content, long.MaxValue);
        await leases.NoteAsync(lease, TrainingEventLevel.Info, $"New fine-tuned model created: {run.Model}");
        if (!await leases.SucceedAsync(lease, file.Id))
        {
            // Paused or cancelled in its last moment, or lost: whoever comes next finds the model made.
            await files.DeleteAsync(file);
            await leases.ReleaseAsync(lease, CancellationToken.None);
            return;
        }

        Directory.Delete(folders.RunFolder(run.Id), recursive: true);
    }

    [LoggerMessage(3053, LogLevel.Information, "Training run {Run} is put down after step {Step}; its training checkpoint is saved")]
    private partial void PutDown(string run, int step);
}
