using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Evaluation.Schemes;
using Llava.ModelCore.Quantization;
using Llava.ModelCore.Scenes;
using Llava.Testing;

namespace Llava.ModelCore.Tests.Engine.Cuda;

/// <summary>What a trained model loses by eight bits: the shipped one on the device that the processor plays, beside itself in bfloat16, told the same tokens.</summary>
public sealed class Fp8GateTests
{
    // Root mean square of the differences by that of the logits: measured 0.02.
    private const double Noise = 0.05;

    // Tokens between which eight bits may choose differently, in sizes of a row's logits.
    private const double Tie = 0.1;

    [Fact]
    public async Task The_shipped_model_chooses_the_same_tokens_in_eight_bits_wherever_two_are_not_nearly_tied()
    {
        var questions = Questions();
        var exact = await LogitsAsync(new(), logits => logits.OfOwnAsync(questions, CancellationToken.None));
        var rounded = await LogitsAsync(new() { Quantize = QuantizationScheme.Fp8, Cuda = new() { KvCache = KvCacheType.Fp8 } }, logits => logits.OfGivenAsync(questions, exact, CancellationToken.None));
        LogitDistance distance = new();
        foreach (var (reference, actual) in exact.Zip(rounded).SelectMany(answer => answer.First.Logits.Zip(answer.Second.Logits)))
        {
            distance.Add(reference, actual);
            Assert.True(Best(reference) == Best(actual) || Margin(reference) < Tie, $"A token that leads by {Margin(reference)} is not chosen.");
        }

        Assert.InRange(distance.Rows, 20, int.MaxValue);
        Assert.InRange(distance.Error, 1e-4, Noise);
        Assert.InRange(distance.Agreement, 0.97, 1);
    }

    private static async Task<IReadOnlyList<AnswerRows>> LogitsAsync(EngineOptions options, Func<AnswerLogits, Task<IReadOnlyList<AnswerRows>>> answer)
    {
        (options.Device, options.KvPositions, options.Cuda.PrefillTokens, options.Cuda.DeviceSampling) = ("cuda", 2048, 1024, false);
        await using var model = LoadedModel.Load(Repository.Path("models", "llava-scenes"), options, time: null, EmulatedSession.Open);
        return await answer(new AnswerLogits(model));
    }

    /// <summary>Of one scene, so that the questions share what is before them, copies of scales included.</summary>
    private static Question[] Questions()
    {
        var scene = Scene.FromSeed(Scene.FirstHeldOutSeed, maxObjects: 3);
        var image = ScenePixels.Png(scene, 160);
        return [.. new SceneQuestions(scene).OneOfEach().Select(asked => new Question { Text = asked.Question, Images = [image], Sampling = new SamplingSettings { MaxNewTokens = 16 } })];
    }

    private static int Best(float[] logits) => Array.IndexOf(logits, logits.Max());

    /// <summary>How far the best token is before the second, by the size of the row's logits.</summary>
    private static double Margin(float[] logits)
    {
        var ordered = logits.OrderDescending().Take(2).ToArray();
        return (ordered[0] - ordered[1]) / Math.Sqrt(logits.Average(logit => (double)logit * logit));
    }
}
