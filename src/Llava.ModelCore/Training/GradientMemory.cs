using Llava.ModelCore.Training.Parallel;

namespace Llava.ModelCore.Training;

/// <summary>How many gradients a rank holds at once, found by going through a step's last micro-batch as the trainer does.</summary>
/// <param name="learning">Name and numbers of each parameter that learns.</param>
/// <param name="recipe">How it learns.</param>
internal sealed class GradientMemory(IReadOnlyList<(string Name, long Numbers)> learning, TrainingRecipe recipe)
{
    private bool AddsUp => recipe.GradientAccumulation > recipe.Processes;

    private bool IsSharded => recipe.Zero > 0 || recipe.OffloadOptimizer;

    private bool CollectsAlways => recipe.Zero == 2 || recipe.OffloadOptimizer;

    /// <summary>Numbers at the peak on the device that computes, on rank 0, whose shares are the largest.</summary>
    public long Peak(int layers)
    {
        // Sums of earlier micro-batches are there from the beginning: whole, or as shares where none is kept whole.
        var (keepsWhole, keepsShares) = (AddsUp && !CollectsAlways, AddsUp && CollectsAlways);
        var held = keepsWhole ? learning.Sum(one => one.Numbers) : keepsShares ? learning.Sum(one => Own(one.Numbers)) : 0;
        var peak = held;
        foreach (var part in Enumerable.Range(0, layers).Reverse().Select(ModelPart.Layer).Prepend(ModelPart.Head).Append(ModelPart.Rest))
        {
            List<long> sizes = [.. learning.Where(one => part.Has(one.Name)).Select(one => one.Numbers)];
            held += keepsWhole ? 0 : sizes.Sum();
            peak = Math.Max(peak, held);
            foreach (var size in sizes.Where(_ => IsSharded))
            {
                held += keepsShares ? 0 : Own(size);
                peak = Math.Max(peak, held);
                held -= size;
            }

            // With clipping, which needs the norm of all gradients first, they stay.
            held -= recipe.Clip is not null ? 0 : sizes.Sum(size => IsSharded ? Own(size) : size);
        }

        return peak;
    }

    private long Own(long numbers) => recipe.IsOffloaded ? 0 : Share.Of(numbers, rank: 0, recipe.Processes).Length;
}
