using Llava.Hosting.Processes;
using Llava.ModelCore.Native;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Parallel;

namespace Llava.GpuConsumer.Training.Processes;

/// <summary>Trains a recipe to its end by as many processes as it says, this one as the first of them.</summary>
public static class SharedTraining
{
    /// <summary>Trains, on a thread of its own.</summary>
    /// <param name="recipe">What to train.</param>
    /// <param name="recipeFile">The same as a file, for the other processes.</param>
    /// <param name="folder">The run's output folder.</param>
    /// <param name="program">How the other processes are started.</param>
    /// <param name="observer">Told about every step.</param>
    /// <param name="cancellation">Stops the run, in all processes, after saving a training checkpoint.</param>
    /// <exception cref="RankLostException">One of the others is gone.</exception>
    public static async Task<TrainingOutcome> RunAsync(
        TrainingRecipe recipe, string recipeFile, string folder, TrainingProgram program, ITrainingObserver observer, CancellationToken cancellation)
    {
        if (recipe.Processes == 1)
        {
            return await RunRankAsync(recipe, folder, ranks: null, observer, cancellation);
        }

        await using var processes = await TrainingProcesses.StartAsync(recipe.Processes, OnCards(recipe), program, TrainingProgram.Worker(recipeFile, folder), cancellation);
        return await processes.RunAsync(() => RunRankAsync(recipe, folder, processes.Ranks, observer, cancellation));
    }

    /// <summary>Trains this process's part. The processes of a run on CPUs share out the threads and what is free.</summary>
    /// <param name="recipe">What to train.</param>
    /// <param name="folder">The run's output folder.</param>
    /// <param name="ranks">All processes; null for this one alone.</param>
    /// <param name="observer">Told about every step, in the first process.</param>
    /// <param name="cancellation">Stops the run after saving a training checkpoint.</param>
    public static Task<TrainingOutcome> RunRankAsync(TrainingRecipe recipe, string folder, ICollective? ranks, ITrainingObserver? observer, CancellationToken cancellation) => Task.Factory.StartNew(
        () =>
        {
            using var threads = ranks is null || OnCards(recipe) ? null : TorchThreads.ShareOutFor(ranks.Size);
            return TrainingRun.Start(recipe, folder, observer, OnCards(recipe) ? null : AvailableMemory.Read() / recipe.Processes, ranks, cancellation);
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    /// <summary>Whether each process takes a card of its own.</summary>
    public static bool OnCards(TrainingRecipe recipe) => recipe.Device != "cpu";
}
