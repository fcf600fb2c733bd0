using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Optimizers;

namespace Llava.ModelCore.Tests.Training;

public sealed class MemoryPlanTests
{
    private static readonly LlavaConfig Config = new()
    {
        LanguageModel = new() { VocabularySize = 32_000, HiddenSize = 4096, IntermediateSize = 11_008, Layers = 32, Heads = 32, KeyValueHeads = 32 },
    };

    private static readonly TrainingRecipe Recipe = new() { Stage = TrainingStage.InstructionTuning, Precision = TrainingPrecision.Bf16, MicroBatch = 16 };

    private static readonly int[] Longest = [.. Enumerable.Repeat(2048, 256)];

    [Fact]
    public void Without_a_limit_nothing_is_recomputed_and_the_micro_batch_stays()
    {
        var plan = MemoryPlan.Fit(Config, Recipe, Longest, memory: null);

        Assert.Equal((0, 16, 1), (plan.Recipe.RecomputeLayers, plan.Recipe.MicroBatch, plan.Recipe.GradientAccumulation));
    }

    [Fact]
    public void As_few_layers_are_recomputed_as_fit()
    {
        var memory = MemoryEstimate.Of(Config, Recipe, Longest[..16], recomputed: 20).Total;

        var plan = MemoryPlan.Fit(Config, Recipe, Longest, memory);

        Assert.Equal((20, 16), (plan.Recipe.RecomputeLayers, plan.Recipe.MicroBatch));
        Assert.True(plan.Estimate.Total <= memory);
    }

    [Fact]
    public void The_micro_batch_is_halved_where_recomputing_is_not_enough_and_the_batch_stays_what_it_is()
    {
        var memory = MemoryEstimate.Of(Config, Recipe with { GradientAccumulation = 4 }, Longest[..4], recomputed: 31).Total;

        var plan = MemoryPlan.Fit(Config, Recipe with { AutoMicroBatch = true }, Longest, memory);

        Assert.Equal((4, 4), (plan.Recipe.MicroBatch, plan.Recipe.GradientAccumulation));
        Assert.Contains("auto_micro_batch", Assert.Throws<TrainingException>(() => MemoryPlan.Fit(Config, Recipe, Longest, memory)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_never_fits_is_refused_with_its_figures()
    {
        var error = Assert.Throws<TrainingException>(() => MemoryPlan.Fit(Config, Recipe with { AutoMicroBatch = true }, Longest, memory: 24L << 30));

        Assert.Contains("even at micro_batch 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("optimizer 50.2 GiB", error.Message, StringComparison.Ordinal);
        Assert.Contains("24.0 GiB", error.Message, StringComparison.Ordinal);
    }

    [Theory] // docs/training.md: weights, gradients and moments of a 7B
    [InlineData(OptimizerKind.Adamw, null, 75.3)]
    [InlineData(OptimizerKind.Adamw8bit, null, 38.6)]
    [InlineData(OptimizerKind.Adafactor, null, 25.1)]
    [InlineData(OptimizerKind.Adamw, false, 13.7)]
    [InlineData(OptimizerKind.Adamw, true, 4.75)]
    public void Weights_and_moments_are_what_their_types_come_to(OptimizerKind kind, bool? isNf4, double gigabytes)
    {
        var recipe = Recipe with { Optimizer = kind, Lora = isNf4 is { } packed ? new LoraRecipe { Rank = 32, Nf4 = packed } : null };

        var estimate = MemoryEstimate.Of(Config, recipe, Longest[..1], recomputed: 31);

        Assert.Equal(gigabytes, (estimate.Weights + estimate.OptimizerState) / (double)(1L << 30), 0.15);
    }

    [Theory] // docs/training.md, "On a GPU": samples of a length, and GiB that are needed without recomputing anything
    [InlineData("alignment", 32, 640, 96)]
    [InlineData("lora", 16, 640, 71)]
    [InlineData("full", 4, 950, 109)]
    public void On_a_large_card_nothing_is_recomputed_where_it_fits(string form, int samples, int length, int gigabytes)
    {
        var plan = MemoryPlan.Fit(Config, OnCard(form) with { MicroBatch = samples }, [.. Enumerable.Repeat(length, samples)], 130L << 30);

        Assert.Equal(0, plan.Recipe.RecomputeLayers);
        Assert.Equal(gigabytes, plan.Estimate.Total / (double)(1L << 30), 0.6);
    }

    [Fact]
    public void What_stands_frozen_keeps_115_thousand_bytes_of_a_token_and_layer_where_flash_attention_writes_no_scores_down()
    {
        MemoryEstimate Of(params int[] lengths) => MemoryEstimate.Of(Config, OnCard("alignment"), lengths, recomputed: 0);

        var (once, twice) = (Of(1000), Of(1000, 1000));

        Assert.Equal(115e3, (twice.Graphs - once.Graphs) / 33 / 1000.0, 1e3);
        // Scores would grow with the square.
        Assert.Equal(once.Graphs * 2, Of(2000).Graphs);
    }

    [Fact]
    public void A_13B_learns_whole_on_a_card_of_141_GB_with_moments_of_8_bits()
    {
        var config = Config with { LanguageModel = Config.LanguageModel with { HiddenSize = 5120, IntermediateSize = 13_824, Layers = 40, Heads = 40, KeyValueHeads = 40 } };
        int[] lengths = [.. Enumerable.Repeat(950, 16)];

        Assert.True(MemoryPlan.Fit(config, OnCard("full") with { Optimizer = OptimizerKind.Adamw8bit }, lengths, 125L << 30).Recipe.RecomputeLayers is > 0 and < 40);
        Assert.Throws<TrainingException>(() => MemoryPlan.Fit(config, OnCard("full"), lengths, 125L << 30));
        // Sums over micro-batches fit in bfloat16 only.
        var summing = OnCard("full") with { Optimizer = OptimizerKind.Adamw8bit, GradientAccumulation = 8 };
        Assert.True(MemoryPlan.Fit(config, summing with { SplitWeights = true }, lengths, 125L << 30).Recipe.RecomputeLayers < 40);
        Assert.Throws<TrainingException>(() => MemoryPlan.Fit(config, summing, lengths, 125L << 30));
    }

    private static TrainingRecipe OnCard(string form) => Recipe with
    {
        Device = "cuda:0",
        Stage = form == "alignment" ? TrainingStage.Alignment : TrainingStage.InstructionTuning,
        Lora = form == "lora" ? new LoraRecipe { Rank = 128, Alpha = 256, Dropout = 0 } : null,
    };
}
