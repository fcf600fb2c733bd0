using Llava.ModelCore.Models;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Speed;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Training;

/// <summary>Layer by layer, packed and recomputed, gradients are those of one graph over padded rows.</summary>
public sealed class LayerwisePassTests : IDisposable
{
    private readonly LlavaModel _model = TinyModel.Create();
    private readonly TrainingBatch _batch = TinyModel.Batch(3, (9, true), (24, false), (5, true));

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData(0, 1 << 20)]
    [InlineData(1, 1 << 20)]
    [InlineData(1, 5 * TinyModel.Vocabulary)] // five targets at a time
    public void Loss_and_gradients_are_those_of_plain_autograd(int recomputed, int logitsAtOnce)
    {
        using var scope = NewDisposeScope();
        using var trainer = new Trainer(_model, TinyModel.Recipe, steps: 1);
        var loss = new PlainAutograd(_model).Accumulate(_batch, 0.5);
        var expected = Gradients();
        trainer.Optimizer.DropGradients();

        var measured = new LayerwisePass(_model, recomputed, logitsAtOnce).Accumulate(_batch, 0.5);

        Assert.Equal(loss, measured.Value, 1e-5);
        Assert.Equal(expected.Keys, Gradients().Keys);
        Assert.All(Gradients(), gradient => Assert.True(gradient.Value.allclose(expected[gradient.Key], rtol: 1e-4, atol: 1e-6), gradient.Key));
    }

    [Fact]
    public void A_layer_that_is_computed_twice_leaves_out_the_same_both_times()
    {
        using var scope = NewDisposeScope();
        var recipe = TinyModel.Recipe with { Lora = new LoraRecipe { Rank = 4, Alpha = 8, Dropout = 0.5 } };
        LoraSetup.Attach(_model, recipe, recipe.Lora, LayerPlacement.On(_model.Config, CPU));
        using var trainer = new Trainer(_model, recipe, steps: 1);
        Disturb(trainer);
        new LayerwisePass(_model, recomputed: 0).Accumulate(_batch, 1, seed: 7);
        var kept = Gradients();
        trainer.Optimizer.DropGradients();
        new LayerwisePass(_model, recomputed: 1).Accumulate(_batch, 1, seed: 7);
        var recomputed = Gradients();
        trainer.Optimizer.DropGradients();
        new LayerwisePass(_model, recomputed: 1).Accumulate(_batch, 1, seed: 8);

        Assert.NotEmpty(kept);
        Assert.All(kept, gradient => Assert.Equal(gradient.Value.bytes.ToArray(), recomputed[gradient.Key].bytes.ToArray()));
        Assert.Contains(Gradients(), gradient => !gradient.Value.allclose(kept[gradient.Key]));
    }

    [Fact]
    public void Layers_that_are_updated_one_by_one_come_to_the_weights_of_all_at_once()
    {
        using var scope = NewDisposeScope();
        using var other = TinyModel.Create();
        // A clip that is never reached makes the trainer wait for all gradients.
        using var atOnce = new Trainer(_model, TinyModel.Recipe with { Clip = 1e9, WeightDecay = 0.1 }, steps: 9);
        using var byLayer = new Trainer(other, TinyModel.Recipe with { RecomputeLayers = 1, WeightDecay = 0.1 }, steps: 9);
        TrainingBatch[] batches = [_batch, TinyModel.Batch(4, (12, false))];

        for (var i = 0; i < 3; i++)
        {
            var (expected, actual) = (atOnce.Step(batches), byLayer.Step(batches));
            Assert.Equal(expected.Losses, actual.Losses);
            Assert.Equal(expected.GradientNorm, actual.GradientNorm, 1e-5);
        }

        var weights = other.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        Assert.All(_model.named_parameters(), p => Assert.Equal(p.parameter.bytes.ToArray(), weights[p.name].bytes.ToArray()));
        Assert.All(byLayer.Optimizer.Parameters, parameter => Assert.Null(parameter.Value.grad));
    }

    /// <summary>New adapters change nothing, so their first gradients would be none.</summary>
    private static void Disturb(Trainer trainer)
    {
        using var noGrad = no_grad();
        var random = new SeededRandom(5, 5);
        foreach (var parameter in trainer.Optimizer.Parameters)
        {
            random.Fill(parameter.Value, 0.1);
        }
    }

    private Dictionary<string, Tensor> Gradients() => _model.named_parameters().Where(p => p.parameter.grad is not null).ToDictionary(p => p.name, p => p.parameter.grad!.clone());
}
