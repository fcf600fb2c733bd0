using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using Llava.ModelCore.Tests.Training;
using Llava.ModelCore.Tests.Training.Parallel;
using Llava.ModelCore.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Models;

/// <summary>
/// Layers on several devices. A machine without cards has two kinds: the CPU, and <c>meta</c>, which has shapes and no numbers. Operators refuse tensors of both, so a pass that ends on the latter
/// has brought everything along.
/// </summary>
public sealed class LayerPlacementTests
{
    [Fact]
    public void Each_device_has_consecutive_layers_and_about_as_many_bytes_as_the_others()
    {
        LlavaConfig config = new() { LanguageModel = new() { VocabularySize = 32_000, HiddenSize = 5120, IntermediateSize = 13_824, Layers = 40, Heads = 40, KeyValueHeads = 40 } };

        List<int> shares = [.. LayerPlacement.Shares(config, 3)];

        Assert.Equal(shares.Order(), shares);
        Assert.Equal([(0, 13), (1, 14), (2, 13)], shares.CountBy(device => device).Select(device => (device.Key, device.Value)));
    }

    [Fact]
    public void More_devices_than_layers_are_refused() =>
        Assert.Equal("3 devices are named for the 2 layers of the decoder; name at most as many.", Assert.Throws<LayerPlacementException>(() => LayerPlacement.Over(TinyModel.Config, [CPU, CPU, CPU])).Message);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Everything_that_a_layer_needs_comes_with_it(bool areEmbeddingsTied)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        using LlavaModel model = new(WideModel.Config with { LanguageModel = WideModel.Config.LanguageModel with { TieEmbeddings = areEmbeddingsTied } });
        model.Place(LayerPlacement.Over(model.Config, [CPU, META]));
        var language = model.Language;

        var attention = PlacedAttention.On(language.Devices, on => new PackedAttention(language.Config, [3, 3], on));
        var hidden = language.Forward(language.Embed(zeros(6, ScalarType.Int64)), tensor(new long[] { 0, 1, 2, 0, 1, 2 }), 3, attention);

        Assert.Equal(["cpu", "meta"], language.Devices.Select(on => on.ToString()));
        Assert.Equal(("meta", 6L), (hidden.device.ToString(), hidden.shape[0]));
        Assert.True(areEmbeddingsTied || language.Logits(hidden).shape is [6, WideModel.Vocabulary]);
    }

    [Fact]
    public void A_step_on_two_devices_is_that_on_one()
    {
        Assert.Equal(Trained(model => model.Place(LayerPlacement.Over(model.Config, [CPU, CPU]))), Trained(_ => { }));

        static string Trained(Action<LlavaModel> place)
        {
            using var model = TinyModel.Create();
            place(model);
            using Trainer trainer = new(model, TinyModel.Recipe with { RecomputeLayers = 1, Clip = 0.1 }, steps: 2);
            for (var step = 0; step < 2; step++)
            {
                trainer.Step([TinyModel.Batch(step, (9, true), (12, false))]);
            }

            return string.Join(' ', model.named_parameters().SelectMany(parameter => parameter.parameter.flatten().data<float>().ToArray()));
        }
    }
}
