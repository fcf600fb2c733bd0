using Llava.ModelCore.Checkpoints;

namespace Llava.ModelCore.Training;

/// <summary>Makes a run fit into memory: as few layers as possible are computed twice, and micro-batches are halved only where that is not enough and the recipe allows it.</summary>
/// <param name="Recipe">The recipe with what was chosen.</param>
/// <param name="Estimate">What it takes.</param>
internal sealed record MemoryPlan(TrainingRecipe Recipe, MemoryEstimate Estimate)
{
    /// <summary>Refuses a run whose weights alone do not fit, before they are read.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="memory">Bytes that the run may take; null for any number.</param>
    /// <exception cref="TrainingException">They do not fit.</exception>
    public static void RequireRoomForWeights(TrainingRecipe recipe, long? memory)
    {
        if (memory is null)
        {
            return;
        }

        using var folder = CheckpointFolder.Open(recipe.Base, new CheckpointOptions { VisionTowerFolder = recipe.VisionTower });
        var least = MemoryEstimate.Of(TrainingBase.ConfigOf(folder, recipe), recipe, [1], int.MaxValue);
        if (least.Total > memory)
        {
            throw Refusal(least, memory.Value, "even for a sample of one position");
        }
    }

    /// <summary>Chooses what the recipe leaves open.</summary>
    /// <param name="config">The model.</param>
    /// <param name="recipe">The recipe.</param>
    /// <param name="longest">Positions of the longest samples, longest first.</param>
    /// <param name="memory">Bytes that the run may take; null for any number.</param>
    /// <exception cref="TrainingException">It does not fit, whatever is chosen.</exception>
    public static MemoryPlan Fit(LlavaConfig config, TrainingRecipe recipe, IReadOnlyList<int> longest, long? memory)
    {
        var layers = config.LanguageModel.Layers;
        while (true)
        {
            var (first, last) = recipe.RecomputeLayers is { } given ? (given, given) : (0, layers - 1);
            for (var recomputed = first; recomputed <= last; recomputed++)
            {
                var estimate = Estimate(recipe, recomputed);
                if (memory is null || estimate.Total <= memory)
                {
                    return new(recipe with { RecomputeLayers = recomputed }, estimate);
                }
            }

            if (recipe.MicroBatch == 1 || !recipe.AutoMicroBatch)
            {
                throw Refusal(Estimate(recipe, last), memory ?? 0, recipe.MicroBatch == 1 ? "even at micro_batch 1" : $"at micro_batch {recipe.MicroBatch}; set auto_micro_batch, or a smaller one");
            }

            recipe = recipe with { MicroBatch = (recipe.MicroBatch + 1) / 2, GradientAccumulation = recipe.GradientAccumulation * 2 };
        }

        MemoryEstimate Estimate(TrainingRecipe tried, int recomputed) => MemoryEstimate.Of(config, tried, [.. longest.Take(tried.MicroBatch)], recomputed);
    }

    private static TrainingException Refusal(MemoryEstimate estimate, long memory, string how) => new(
        $"The run needs {estimate}, but may take {MemoryEstimate.Size(memory)}, {how}. A smaller base, lora (with nf4), optimizer adamw8bit or adafactor, or a shorter model_max_length need less; memory_gb says what it may take.");
}
