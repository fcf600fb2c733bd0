using Llava.ModelCore.Models;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Optimizers;
using Llava.ModelCore.Training.Parallel;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Training.Parallel;

/// <summary>Ranks that share out the micro-batches of each step against one process that makes them all.</summary>
public sealed class SharedTrainingTests
{
    private const int MicroBatches = 4;
    private const int Steps = 2;

    private static readonly TrainingRecipe Recipe = TinyModel.Recipe with { WeightDecay = 0.1, LearningRate = 1e-3, GradientAccumulation = MicroBatches };

    /// <summary>
    /// Processes, stage, clip, 8-bit moments. One process adds the micro-batches' gradients one by one; so do four ranks of one each, and any number that keep no
    /// gradient whole. Two ranks that add up their own first, and norms made of shares, round differently in the last place.
    /// </summary>
    public static TheoryData<int, int, double?, bool, bool> Groups => new()
    {
        { 4, 1, null, false, true },
        { 4, 2, null, false, true },
        { 2, 2, null, true, true },
        { 4, 0, 0.05, true, true },
        { 2, 0, null, false, false },
        { 2, 1, 0.05, false, false },
        { 4, 2, 0.05, false, false },
    };

    [Theory]
    [MemberData(nameof(Groups))]
    public async Task Losses_and_weights_are_those_of_one_process(int processes, int zero, double? clip, bool isCoded, bool isExact)
    {
        var recipe = Recipe with { Clip = clip, Optimizer = isCoded ? OptimizerKind.Adamw8bit : OptimizerKind.Adamw };
        var alone = Train(recipe, new SingleRank(), WideModel.Create, WideModel.Batch);

        var shared = await Ranks.RunAsync(Ranks.InProcess(processes), ranks => Train(recipe with { Processes = processes, Zero = zero }, ranks, WideModel.Create, WideModel.Batch));

        Assert.All(shared, rank => RequireSame(alone, rank, isExact));
    }

    [Theory]
    [InlineData(2, 0, false)]
    [InlineData(2, 2, true)]
    [InlineData(4, 1, true)]
    public async Task So_are_those_of_an_adapter_and_a_projector_with_images_on_some_ranks_only(int processes, int zero, bool isExact)
    {
        var recipe = Recipe with { Lora = new LoraRecipe { Rank = 4, Alpha = 8, Dropout = 0 } };
        var alone = Train(recipe, new SingleRank(), Adapted, Batch);

        var shared = await Ranks.RunAsync(await Ranks.OverTcpAsync(processes), ranks => Train(recipe with { Processes = processes, Zero = zero }, ranks, Adapted, Batch));

        Assert.All(shared, rank => RequireSame(alone, rank, isExact));

        LlavaModel Adapted()
        {
            var model = TinyModel.Create();
            LoraSetup.Attach(model, recipe, recipe.Lora!, LayerPlacement.On(model.Config, CPU));
            return model;
        }

        static TrainingBatch Batch(int seed) => TinyModel.Batch(seed, (9, seed % 2 == 0), (12, false));
    }

    [Theory]
    [InlineData(1, 0, null, false)]
    [InlineData(1, 0, 0.05, true)]
    [InlineData(2, 1, null, true)]
    [InlineData(4, 2, null, false)]
    public async Task So_are_those_of_moments_and_updates_in_host_memory(int processes, int zero, double? clip, bool isCoded)
    {
        var recipe = Recipe with { Clip = clip, Optimizer = isCoded ? OptimizerKind.Adamw8bit : OptimizerKind.Adamw };
        var alone = Train(recipe, new SingleRank(), WideModel.Create, WideModel.Batch);

        var offloaded = await Ranks.RunAsync(Ranks.InProcess(processes), ranks => Train(recipe with { Processes = processes, Zero = zero, OffloadOptimizer = true }, ranks, WideModel.Create, WideModel.Batch));

        Assert.All(offloaded, rank => RequireSame(alone, rank, isExact: true));
    }

    [Fact]
    public async Task Measuring_is_shared_out_and_comes_to_the_same()
    {
        List<Func<TrainingBatch>> data = [.. Enumerable.Range(0, 5).Select(i => (Func<TrainingBatch>)(() => WideModel.Batch(i)))];
        var expected = Measure(new SingleRank());

        Assert.All(await Ranks.RunAsync(Ranks.InProcess(4), Measure), measured => Assert.Equal(expected, measured));

        ValidationResult Measure(ICollective ranks)
        {
            using var model = WideModel.Create();
            using var trainer = new Trainer(model, Recipe with { Processes = ranks.Size }, steps: 1, ranks);
            return trainer.Measure(data);
        }
    }

    [Fact]
    public async Task A_rank_whose_loss_is_not_a_number_ends_the_others_too()
    {
        var error = await Assert.ThrowsAsync<TrainingException>(() => Ranks.RunAsync(Ranks.InProcess(2), ranks => Train(Recipe with { Processes = 2 }, ranks, () => TinyModel.Create(), seed =>
        {
            var batch = TinyModel.Batch(seed, (9, true));
            batch.Images[0][0] = seed == 1 ? float.NaN : 0;
            return batch;
        })));

        Assert.Contains("step 1 of 2", error.Message, StringComparison.Ordinal);
    }

    private static Outcome Train(TrainingRecipe recipe, ICollective ranks, Func<LlavaModel> create, Func<int, TrainingBatch> batch)
    {
        using var model = create();
        using var trainer = new Trainer(model, recipe, Steps, ranks);
        List<TrainingStep> steps = [];
        for (var step = 0; step < Steps; step++)
        {
            steps.Add(trainer.Step([.. Enumerable.Range(0, MicroBatches).Where(i => i % ranks.Size == ranks.Rank).Select(i => batch((step * MicroBatches) + i))]));
        }

        return new(steps, trainer.Gradients.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value.detach().flatten().data<float>().ToArray()));
    }

    private static void RequireSame(Outcome expected, Outcome actual, bool isExact)
    {
        var tolerance = isExact ? 0 : 2e-5;
        Assert.Equal(expected.Steps.SelectMany(step => step.Losses.Select(loss => (loss.Positions, loss.Targets, loss.Correct))), actual.Steps.SelectMany(step => step.Losses.Select(loss => (loss.Positions, loss.Targets, loss.Correct))));
        Assert.Equal(expected.Steps.SelectMany(step => step.Losses.Select(loss => loss.Value)), actual.Steps.SelectMany(step => step.Losses.Select(loss => loss.Value)), (a, b) => Math.Abs(a - b) <= tolerance * a);
        Assert.Equal(expected.Steps.Select(step => step.GradientNorm), actual.Steps.Select(step => step.GradientNorm), (a, b) => Math.Abs(a - b) <= 1e-5 * a);
        Assert.NotEmpty(expected.Weights);
        Assert.Equal(expected.Weights.Keys, actual.Weights.Keys);
        Assert.All(expected.Weights, weight => Assert.InRange(Farthest(weight.Value, actual.Weights[weight.Key]), 0, 10 * tolerance));
    }

    /// <summary>The largest difference of two weights, as a share of their size or, where they are small, of what a step changes.</summary>
    private static double Farthest(float[] expected, float[] actual)
    {
        var farthest = expected.Length == actual.Length ? 0 : double.PositiveInfinity;
        for (var i = 0; i < expected.Length; i++)
        {
            farthest = Math.Max(farthest, Math.Abs(expected[i] - (double)actual[i]) / Math.Max(Math.Abs(expected[i]), Recipe.LearningRate));
        }

        return farthest;
    }

    private sealed record Outcome(IReadOnlyList<TrainingStep> Steps, Dictionary<string, float[]> Weights);
}
