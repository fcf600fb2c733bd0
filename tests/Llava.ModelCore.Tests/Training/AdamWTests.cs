using Llava.ModelCore.Native;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Optimizers;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Training;

public sealed class AdamWTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope;

    public AdamWTests()
    {
        TorchLibrary.EnsureLoaded();
        _scope = NewDisposeScope();
    }

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void The_first_update_moves_by_the_learning_rate_against_the_gradients_sign_after_decay()
    {
        var weight = nn.Parameter(tensor([1f, -2f, 3f]));
        using var optimizer = new AdamW([new ParameterGroup([new TrainableParameter("w", weight)], LearningRate: 0.1, WeightDecay: 0.5)]);
        using (no_grad())
        {
            weight.grad = tensor([4f, -0.5f, 0f]);
        }

        optimizer.Step(factor: 0.5);

        var kept = 1 - (0.05 * 0.5);
        Assert.Equal([(1 * kept) - 0.05, (-2 * kept) + 0.05, 3 * kept], weight.data<float>().Select(x => (double)x), (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void Clipping_scales_all_gradients_to_the_limit_and_leaves_small_ones_alone()
    {
        var (a, b) = (nn.Parameter(zeros(2)), nn.Parameter(zeros(1)));
        using var optimizer = new AdamW([
            new ParameterGroup([new TrainableParameter("a", a)], 1, 0),
            new ParameterGroup([new TrainableParameter("b", b)], 1, 0)]);
        using (no_grad())
        {
            a.grad = tensor([2f, 3f]);
            b.grad = tensor([6f]);
        }

        Assert.Equal(7, optimizer.GradientNorm(), 6);
        optimizer.ClipGradients(7, 8);
        Assert.Equal(7, optimizer.GradientNorm(), 6);
        optimizer.ClipGradients(7, 1);
        Assert.Equal(1, optimizer.GradientNorm(), 5);
        Assert.Equal(6 / 7.0, b.grad!.item<float>(), 5);
        optimizer.ClearGradients();
        Assert.Equal(0, optimizer.GradientNorm());
    }

    [Fact]
    public void Moments_of_another_shape_are_refused()
    {
        using var optimizer = new AdamW([new ParameterGroup([new TrainableParameter("w", nn.Parameter(zeros(2)))], 1, 0)]);

        var error = Assert.Throws<TrainingException>(() => optimizer.Restore(1, _ => zeros(3)));

        Assert.Contains("exp_avg.w", error.Message, StringComparison.Ordinal);
    }
}
