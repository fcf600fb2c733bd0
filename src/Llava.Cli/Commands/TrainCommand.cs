using System.CommandLine;
using System.Globalization;
using Llava.Cli.Training;
using Llava.Hosting.Processes;
using Llava.ModelCore.Native;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Parallel;

namespace Llava.Cli.Commands;

/// <summary><c>llava train</c>: LLaVA's stages from a recipe, here and now; its subcommands queue and steer training runs.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var recipe = new Argument<FileInfo>("recipe") { Description = "A recipe: stage, base, data and settings as JSON." };
        var output = new Option<DirectoryInfo>("--out", "-o") { Description = "Gets the model and its training checkpoints; an unfinished run there is continued.", Required = true };
        var worker = new Option<bool>(TrainingProcesses.WorkerOption) { Hidden = true };
        var command = new Command("train", "Run alignment or instruction tuning. Killed or stopped, the same command continues with the same losses.") { recipe, output, worker };
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            var (from, folder) = (typed.GetValue(recipe)!.FullName, typed.GetValue(output)!.FullName);
            var loaded = TrainingRecipe.Load(from);
            if (typed.GetValue(worker))
            {
                using var ranks = await TrainingProcesses.JoinAsync(OnCards(loaded), cancellationToken);
                await TrainAsync(loaded, folder, ranks, cancellationToken);
                return ExitCodes.Ok;
            }

            if (loaded.Processes == 1)
            {
                return await ReportAsync(await TrainAsync(loaded, folder, ranks: null, cancellationToken));
            }

            await using var processes = await TrainingProcesses.StartAsync(loaded.Processes, OnCards(loaded), ["train", from, "--out", folder], cancellationToken);
            return await ReportAsync(await processes.RunAsync(() => TrainAsync(loaded, folder, processes.Ranks, cancellationToken)));
        }));
        command.Subcommands.Add(TrainCheckCommand.Create());
        foreach (var run in TrainRunsCommand.Create())
        {
            command.Subcommands.Add(run);
        }

        return command;
    }

    private static bool OnCards(TrainingRecipe recipe) => recipe.Device != "cpu";

    /// <summary>The processes of a run on CPUs share out the threads and what is free.</summary>
    private static Task<TrainingOutcome> TrainAsync(TrainingRecipe recipe, string folder, ICollective? ranks, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            if (ranks is not null && !OnCards(recipe))
            {
                TorchThreads.ShareOut(ranks.Size);
            }

            return TrainingRun.Start(recipe, folder, new Lines(), OnCards(recipe) ? null : AvailableMemory.Read() / recipe.Processes, ranks, cancellationToken);
        },
        CancellationToken.None);

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
