using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Tests.Parity;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Parallel;

namespace Llava.ModelCore.Tests.Training.Parallel;

/// <summary>Whole runs of several ranks on the small models of case G.</summary>
public sealed class SharedRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Runs => TrainingCase.Runs();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task A_run_that_is_killed_goes_on_with_other_ranks_and_ends_with_the_weights_of_one_process(string run)
    {
        var recipe = Recipe(run) with { MaxSteps = 5, SaveSteps = 1, Clip = null, ValidationData = TrainingCase.Recipe(run).Data };
        var alone = new RecordingObserver();
        TrainingRun.Start(recipe, _folder.File("alone"), alone);
        var losses = new Dictionary<int, TrainingProgress>();

        // Four ranks lose their first at step 2, two at step 4, and one process ends it; none adds up gradients before the ranks do.
        foreach (var (processes, zero, killedAt) in ((int, int, int)[])[(4, 1, 2), (2, 2, 4), (1, 0, int.MaxValue)])
        {
            var observer = new RecordingObserver(progress => _ = progress.Step == killedAt ? throw new InvalidOperationException("killed") : 0);
            var shared = Ranks.RunAsync(Ranks.InProcess(processes), ranks => TrainingRun.Start(recipe with { Processes = processes, Zero = zero }, _folder.File("shared"), observer, ranks: ranks));
            if (killedAt < int.MaxValue)
            {
                await Assert.ThrowsAsync<InvalidOperationException>(() => shared);
            }
            else
            {
                await shared;
            }

            observer.Steps.ForEach(step => losses[step.Step] = step);
        }

        Assert.Equal(alone.Steps.Select(Text), losses.OrderBy(step => step.Key).Select(step => Text(step.Value)));
        RequireSameWeights("alone", "shared");
    }

    [Fact]
    public async Task A_rank_that_is_told_to_stop_stops_all_with_a_training_checkpoint()
    {
        using var stop = new CancellationTokenSource();
        var recipe = Recipe(TrainingCase.RunNames.First()) with { MaxSteps = 5, Processes = 2, Zero = 2 };
        var observer = new RecordingObserver(progress => _ = progress.Step == 2 ? Stop() : 0);

        var outcomes = await Ranks.RunAsync(Ranks.InProcess(2), ranks => TrainingRun.Start(
            recipe, _folder.File("run"), observer, ranks: ranks, cancellationToken: ranks.Rank == 0 ? stop.Token : CancellationToken.None));

        Assert.All(outcomes, outcome => Assert.Equal((2, false), (outcome.Steps, outcome.IsComplete)));
        Assert.Equal([_folder.File("run/checkpoint-2")], observer.Checkpoints);

        int Stop()
        {
            stop.Cancel();
            return 0;
        }
    }

    [Fact]
    public async Task Ranks_that_see_other_data_are_refused_before_the_first_step()
    {
        var recipe = Recipe(TrainingCase.RunNames.First()) with { MaxSteps = 5, Processes = 2 };
        File.WriteAllText(_folder.File("data.json"), File.ReadAllText(recipe.Data) + "\n");
        var observer = new RecordingObserver();

        var error = await Assert.ThrowsAsync<TrainingException>(() => Ranks.RunAsync(Ranks.InProcess(2), ranks => TrainingRun.Start(
            ranks.Rank == 0 ? recipe : recipe with { Data = _folder.File("data.json") }, _folder.File("run"), observer, ranks: ranks)));

        Assert.Contains("Process 1 would train something else than process 0", error.Message, StringComparison.Ordinal);
        Assert.Empty(observer.Plans);
    }

    [Fact]
    public void A_recipe_for_several_processes_is_not_trained_by_one()
    {
        var recipe = Recipe(TrainingCase.RunNames.First()) with { Processes = 2 };

        Assert.Contains("processes is 2, but 1 take part", Assert.Throws<TrainingException>(() => TrainingRun.Start(recipe, _folder.File("run"))).Message, StringComparison.Ordinal);
    }

    /// <summary>Four micro-batches a step. Dropout, which threads of one process would draw from the same generator, is off.</summary>
    private static TrainingRecipe Recipe(string run)
    {
        var recipe = TrainingCase.Recipe(run) with { DataOrder = null, SkipBadSamples = true, MicroBatch = 1, GradientAccumulation = 4 };
        return recipe.Lora is null ? recipe : recipe with { Lora = recipe.Lora with { Dropout = 0 } };
    }

    private static string Text(TrainingProgress step) =>
        $"{step.Step} {step.Epoch} {string.Join(' ', step.MicroLosses)} {step.LearningRate} {step.Positions} {step.Accuracy} {step.Validation?.Loss} {step.Validation?.Accuracy}";

    private void RequireSameWeights(string expected, string actual)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var file = new[] { "mm_projector.bin", "adapter_model.bin", "model.safetensors" }.Single(name => File.Exists(_folder.File($"{expected}/{name}")));
        using var undisturbed = TensorContainer.Open(_folder.File($"{expected}/{file}"));
        using var resumed = TensorContainer.Open(_folder.File($"{actual}/{file}"));
        Assert.All(undisturbed.Entries, entry => Assert.True(undisturbed.Read(entry.Name).bytes.SequenceEqual(resumed.Read(entry.Name).bytes), entry.Name));
    }
}
