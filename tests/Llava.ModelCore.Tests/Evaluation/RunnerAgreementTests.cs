using Llava.ModelCore.Engine;
using Llava.ModelCore.Evaluation;
using Llava.ModelCore.Quantization;
using Llava.ModelCore.Scenes;
using Llava.Testing;

namespace Llava.ModelCore.Tests.Evaluation;

/// <summary>The shipped model on our own kernels beside the reference, and with quantized weights.</summary>
public sealed class RunnerAgreementTests
{
    private const int Scenes = 40;

    [Fact]
    public async Task Answers_of_the_kernels_are_the_references_token_by_token()
    {
        var expected = await AskAsync(new EngineOptions { Runner = RunnerKind.Torch });
        var actual = await AskAsync(new EngineOptions { Runner = RunnerKind.Cpu });
        Assert.Equal(expected.Outcomes.Select(outcome => outcome.Answer), actual.Outcomes.Select(outcome => outcome.Answer));
    }

    [Theory]
    [InlineData(QuantizationScheme.Int8)]
    [InlineData(QuantizationScheme.Int4)]
    public async Task Quantized_weights_are_as_often_right(QuantizationScheme scheme)
    {
        var exact = await AskAsync(new EngineOptions());
        var quantized = await AskAsync(new EngineOptions { Quantize = scheme });
        // Some hundred questions measure to a point or two; docs/quantization.md has the figures of thousands.
        Assert.InRange(Share(quantized), Share(exact) - 0.02, 1);
    }

    private static async Task<SceneBenchmarkResult> AskAsync(EngineOptions options)
    {
        await using var model = LoadedModel.Load(Repository.Path("models", "llava-scenes"), options);
        return await SceneBenchmark.RunAsync(model, Scenes, maxObjects: 3, side: 160);
    }

    private static double Share(SceneBenchmarkResult result) => result.Outcomes.Average(outcome => outcome.IsRight ? 1.0 : 0);
}
