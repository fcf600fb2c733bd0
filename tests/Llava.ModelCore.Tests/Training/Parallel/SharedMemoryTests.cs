using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Optimizers;
using Llava.ModelCore.Training.Parallel;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Training.Parallel;

/// <summary>What a rank holds against what was said before.</summary>
public sealed class SharedMemoryTests
{
    [Theory]
    [InlineData(2, 1, null, 0)]
    [InlineData(2, 1, null, 1)]
    [InlineData(4, 1, 1.0, 1)]
    [InlineData(4, 3, null, 1)]
    [InlineData(2, 1, null, 2)]
    [InlineData(4, 1, 1.0, 2)]
    [InlineData(4, 2, null, 2)]
    [InlineData(4, 2, 1.0, 2)]
    [InlineData(1, 2, null, 0, true)]
    [InlineData(1, 1, 1.0, 0, true)]
    [InlineData(2, 2, null, 1, true)]
    public async Task State_and_gradients_are_as_large_as_estimated(int processes, int microBatchesEach, double? clip, int zero, bool isOffloaded = false)
    {
        foreach (var kind in (OptimizerKind[])[OptimizerKind.Adamw, OptimizerKind.Adamw8bit])
        {
            var recipe = TinyModel.Recipe with { Processes = processes, Zero = zero, GradientAccumulation = processes * microBatchesEach, Clip = clip, Optimizer = kind, OffloadOptimizer = isOffloaded };
            var estimate = MemoryEstimate.Of(WideModel.Config, recipe, [13, 12], recomputed: 0);

            var held = await Ranks.RunAsync(Ranks.InProcess(processes), ranks => Held(recipe, ranks, microBatchesEach));

            // Rank 0 has the largest shares.
            Assert.Equal(estimate.OptimizerState, held[0].State, 0.1 * estimate.OptimizerState);
            Assert.Equal(estimate.Gradients, held[0].Gradients, 0.1 * estimate.Gradients);
            Assert.All(held, rank => Assert.True(rank.State <= held[0].State && rank.Gradients <= held[0].Gradients));
        }
    }

    [Fact]
    public void Two_processes_halve_the_state_of_a_7B_and_stage_2_its_gradients_too()
    {
        MemoryEstimate Of(int processes, int zero) => MemoryEstimate.Of(
            new() { LanguageModel = new() { VocabularySize = 32_000, HiddenSize = 4096, IntermediateSize = 11_008, Layers = 32, Heads = 32, KeyValueHeads = 32 } },
            new TrainingRecipe { Stage = TrainingStage.InstructionTuning, MicroBatch = 1, GradientAccumulation = 2 * processes, Processes = processes, Zero = zero },
            [2048],
            recomputed: 31);

        var (alone, first, second) = (Of(1, 0), Of(2, 1), Of(2, 2));

        Assert.Equal(0.5, (double)first.OptimizerState / alone.OptimizerState, 0.001);
        Assert.InRange((double)first.Gradients / alone.Gradients, 1, 1.02);
        Assert.InRange((double)second.Gradients / alone.Gradients, 0.5, 0.55);
    }

    [Fact]
    public void On_a_card_what_is_offloaded_takes_host_memory_instead()
    {
        MemoryEstimate Of(bool isOffloaded) => MemoryEstimate.Of(WideModel.Config, TinyModel.Recipe with { Device = "cuda:0", GradientAccumulation = 2, OffloadOptimizer = isOffloaded }, [13, 12], recomputed: 0);

        var (kept, offloaded) = (Of(false), Of(true));

        Assert.Equal((0, 0), (offloaded.OptimizerState, kept.Host));
        // Moments are two numbers for each that learns; beside them lie its copy and its gradient.
        Assert.Equal(2 * kept.OptimizerState, offloaded.Host);
        Assert.True(offloaded.Gradients < kept.Gradients);
        Assert.EndsWith("of host memory", offloaded.ToString(), StringComparison.Ordinal);
    }

    private static (long State, long Gradients) Held(TrainingRecipe recipe, ICollective ranks, int microBatches)
    {
        using var model = WideModel.Create();
        Watch watched = new(ranks);
        using var trainer = new Trainer(model, recipe, 2, watched);
        watched.Look = () => Gradients(trainer);
        trainer.Step([.. Enumerable.Range(0, microBatches).Select(WideModel.Batch)]);
        // Offloaded, it also has copies of all that it updates.
        var copies = recipe.OffloadOptimizer ? trainer.Optimizer.Parameters.Sum(parameter => parameter.Value.numel() * 4) : 0;
        return (trainer.Optimizer.State.Sum(state => state.Value.numel() * state.Value.element_size()) + copies, watched.Most);
    }

    private static long Gradients(Trainer trainer)
    {
        using var scope = NewDisposeScope();
        var values = trainer.Gradients.Parameters.Concat(trainer.Optimizer.Parameters).Select(parameter => parameter.Value).Distinct();
        return values.Sum(value => value.grad is { } gradient ? gradient.numel() * 4 : 0);
    }

    /// <summary>Looks how much is held whenever ranks put gradients together.</summary>
    private sealed class Watch(ICollective ranks) : ICollective
    {
        public Func<long>? Look { get; set; }

        public long Most { get; private set; }

        public int Rank => ranks.Rank;

        public int Size => ranks.Size;

        public void AllReduce(Tensor values)
        {
            Most = Math.Max(Most, Look!());
            ranks.AllReduce(values);
        }

        public void ReduceScatter(Tensor values, Tensor own)
        {
            Most = Math.Max(Most, Look!());
            ranks.ReduceScatter(values, own);
        }

        public void AllGather(Tensor own, Tensor values) => ranks.AllGather(own, values);

        public void Broadcast(Tensor values, int root) => ranks.Broadcast(values, root);

        public void Barrier() => ranks.Barrier();

        public void Dispose() => ranks.Dispose();
    }
}
