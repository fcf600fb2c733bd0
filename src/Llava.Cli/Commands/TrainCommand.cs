using System.CommandLine;
using System.Globalization;
using Llava.Cli.Training;
using Llava.GpuConsumer.Training.Processes;
using Llava.ModelCore.Training;

namespace Llava.Cli.Commands;

/// <summary><c>llava train</c>: LLaVA's stages from a recipe, here and now; its subcommands queue and steer training runs.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var recipe = new Argument<FileInfo>("recipe") { Description = "A recipe: stage, base, data and settings as JSON." };
        var output = new Option<DirectoryInfo>("--out", "-o") { Description = "Gets the model and its training checkpoints; an unfinished run there is continued.", Required = true };
        var worker = new Option<bool>(TrainingProgram.WorkerOption) { Hidden = true };
        var command = new Command("train", "Run alignment or instruction tuning. Killed or stopped, the same command continues with the same losses.") { recipe, output, worker };
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            var (from, folder) = (typed.GetValue(recipe)!.FullName, typed.GetValue(output)!.FullName);
            var loaded = TrainingRecipe.Load(from);
            if (typed.GetValue(worker))
            {
                using var ranks = await TrainingRank.JoinAsync(SharedTraining.OnCards(loaded), cancellationToken);
                await SharedTraining.RunRankAsync(loaded, folder, ranks, observer: null, cancellationToken);
                return ExitCodes.Ok;
            }

            return await ReportAsync(await SharedTraining.RunAsync(loaded, from, folder, TrainingRank.Program, new Lines(), cancellationToken));
        }));
        command.Subcommands.Add(TrainCheckCommand.Create());
        foreach (var run in TrainRunsCommand.Create())
        {
            command.Subcommands.Add(run);
        }

        return command;
    }

    private static async Task<int> ReportAsync(TrainingOutcome outcome)
    {
        await Console.Error.WriteLineAsync(outcome.IsComplete ? $"Model: {outcome.Folder}" : "Stopped. The same command continues.");
        return outcome.IsComplete ? ExitCodes.Ok : ExitCodes.CannotReachOrLoad;
    }

    private sealed class Lines : ITrainingObserver
    {
        public void OnStarted(TrainingPlan plan)
        {
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{plan.Steps} optimizer steps from step {plan.FirstStep}, {plan.TrainedParameters / 1e6:0.00} M parameters trained"));
            Console.Error.WriteLine($"about {plan.Memory}; micro-batch {plan.MicroBatch} × {plan.GradientAccumulation}, {plan.RecomputedLayers} layers computed twice");
            foreach (var warning in plan.Warnings)
            {
                Console.Error.WriteLine(warning);
            }
        }

        public void OnStep(TrainingProgress progress) => Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"step {progress.Step}/{progress.Steps}  loss {progress.Loss:0.0000}  rate {progress.LearningRate:0.0e+0}  norm {progress.GradientNorm:0.00}  {progress.TokensPerSecond:0} tokens/s  ETA {progress.Remaining:h\\:mm\\:ss}{Measured(progress.Validation)}"));

        private static string Measured(ValidationResult? validation) => validation is null
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $"  validation loss {validation.Loss:0.0000}, accuracy {validation.Accuracy:P1}");
    }
}
