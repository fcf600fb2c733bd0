using Llava.ModelCore.Engine;
using Llava.ModelCore.Evaluation.Schemes;
using Llava.ModelCore.Quantization;
using Llava.Testing;

namespace Llava.ModelCore.Tests.Evaluation;

public sealed class SchemeComparisonTests
{
    [Fact]
    public async Task Each_scheme_is_measured_beside_the_weights_as_they_are()
    {
        SchemeComparisonSettings settings = new() { Scenes = 6, LogitScenes = 2, Schemes = [QuantizationScheme.Int8, QuantizationScheme.Int4], Side = 160 };
        List<SchemeFigures> figures = [];
        await foreach (var one in SchemeComparison.RunAsync(scheme => LoadedModel.Load(Repository.Path("models", "llava-scenes"), new EngineOptions { Quantize = scheme }), settings))
        {
            figures.Add(one);
        }

        Assert.Equal([QuantizationScheme.None, QuantizationScheme.Int8, QuantizationScheme.Int4], figures.Select(one => one.Scheme));
        var (none, int8, int4) = (figures[0], figures[1], figures[2]);
        Assert.Equal((0, 0, 1), (none.LogitError, Math.Round(none.Divergence, 12), none.GreedyAgreement));
        Assert.True(none.LogitError < int8.LogitError && int8.LogitError < int4.LogitError && int4.LogitError < 0.2, $"{int8.LogitError} and {int4.LogitError}");
        Assert.True(0 < int8.Divergence && int8.Divergence < int4.Divergence);
        Assert.True(none.WeightBytes > int8.WeightBytes && int8.WeightBytes > int4.WeightBytes);
        Assert.All(figures, one => Assert.True(one is { Tokens: > 50, GreedyAgreement: > 0.9, Accuracy: > 0.9, Asked: > 40 }, $"{one}"));
        Assert.Single(figures.Select(one => one.Tokens).Distinct());
    }

    [Fact]
    public void Distances_are_those_of_their_definitions()
    {
        LogitDistance distance = new();
        distance.Add([1, 0], [1, 0]);
        distance.Add([0, 0], [0, MathF.Log(3)]);

        // One half against one quarter and three quarters; of two rows the first is the same, and a tie goes to the first.
        Assert.Equal((0.5 * Math.Log(2) + 0.5 * Math.Log(2.0 / 3)) / 2, distance.Divergence, 6);
        Assert.Equal(Math.Log(3), distance.Error, 6);
        Assert.Equal(0.5, distance.Agreement);
    }
}
