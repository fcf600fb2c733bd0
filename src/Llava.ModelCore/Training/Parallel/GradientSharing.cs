using Llava.ModelCore.Native;
using Llava.ModelCore.Training.Optimizers;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>How the ranks of a run put their gradients together, and who of them remembers and updates what. Every rank has all weights.</summary>
internal abstract class GradientSharing : IDisposable
{
    /// <summary>For a recipe and its ranks.</summary>
    public static GradientSharing For(IReadOnlyList<ParameterGroup> groups, TrainingRecipe recipe, ICollective ranks) => recipe is { Zero: 0, OffloadOptimizer: false }
        ? new WholeGradients(groups, recipe.Optimizer, ranks)
        : new ShardedGradients(groups, recipe.Optimizer, ranks, keepsNoneWhole: recipe.Zero == 2 || recipe.OffloadOptimizer, isOnHost: recipe.OffloadOptimizer);

    /// <summary>What this rank updates, and what it remembers of it.</summary>
    public abstract Optimizer Optimizer { get; }

    /// <summary>All parameters that learn, whole, group by group.</summary>
    public abstract IReadOnlyList<TrainableParameter> Parameters { get; }

    /// <summary>Whether gradients are put together after every micro-batch, not only after the last.</summary>
    public abstract bool CollectsAlways { get; }

    /// <summary>Makes all gradients zero.</summary>
    public abstract void Clear();

    /// <summary>Frees all gradients.</summary>
    public abstract void Drop();

    /// <summary>Puts together the ranks' gradients of a part, as far as this rank's <see cref="Optimizer"/> needs them.</summary>
    public abstract void Collect(ModelPart part);

    /// <summary>Hands the updated weights of a part to all ranks.</summary>
    public abstract void Spread(ModelPart part);

    /// <summary>L2 norm over gradients, those of all ranks together, of several parts.</summary>
    /// <param name="own">For each part, the norm over the gradients that this rank's optimizer has, wherever it is; null where it has none.</param>
    public virtual IReadOnlyList<double> NormsOf(IReadOnlyList<Tensor?> own)
    {
        var read = new Queue<double>(Transfers.Read([.. own.OfType<Tensor>()]));
        return [.. own.Select(norm => norm is null ? 0 : read.Dequeue())];
    }

    /// <summary>What all ranks together remember, whole; each tensor is asked for by every rank, in this order.</summary>
    public abstract IEnumerable<WholeState> State { get; }

    /// <summary>Continues from what was saved.</summary>
    /// <param name="steps">Updates made before.</param>
    /// <param name="read">Gives the whole saved tensor of a name of <see cref="State"/>.</param>
    /// <exception cref="TrainingException">A saved tensor has another shape.</exception>
    public abstract void Restore(int steps, Func<string, Tensor> read);

    /// <inheritdoc/>
    public virtual void Dispose() => Optimizer.Dispose();
}

/// <summary>Something that the ranks remember.</summary>
/// <param name="Name">Unique.</param>
/// <param name="Type">Of its numbers.</param>
/// <param name="Shape">Of the whole.</param>
/// <param name="Gather">Gives the whole; the caller owns it.</param>
internal sealed record WholeState(string Name, ScalarType Type, long[] Shape, Func<Tensor> Gather);
