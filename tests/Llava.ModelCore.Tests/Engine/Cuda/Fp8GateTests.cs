using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Evaluation.Schemes;
using Llava.ModelCore.Quantization;
using Llava.ModelCore.Scenes;
using Llava.Testing;
using Xunit.Abstractions;

namespace Llava.ModelCore.Tests.Engine.Cuda;

/// <summary>What a trained model loses by eight bits: the shipped one on the device that the processor plays, beside itself in bfloat16, told the same tokens. The long form asks 120 questions.</summary>
public sealed class Fp8GateTests(ITestOutputHelper output)
{
    // Root mean square of the differences by that of the logits: measured 0.03.
    private const double Noise = 0.05;

    // Tokens between which eight bits may choose differently, in sizes of a row's logits.
    private const double Tie = 0.1;

    [Fact]
    public async Task The_shipped_model_chooses_the_same_tokens_in_eight_bits_wherever_two_are_not_nearly_tied()
    {
        Question[] questions = [.. Questions().Take(Soak.IsLong ? 120 : 2)];
        var exact = await LogitsAsync(new(), logits => logits.OfOwnAsync(questions, CancellationToken.None));
        var rounded = await LogitsAsync(new() { Quantize = QuantizationScheme.Fp8, Cuda = new() { KvCache = KvCacheType.Fp8 } }, logits => logits.OfGivenAsync(questions, exact, CancellationToken.None));
        var (distance, lost) = (new LogitDistance(), 0.0);
        foreach (var (reference, actual) in exact.Zip(rounded).SelectMany(answer => answer.First.Logits.Zip(answer.Second.Logits)))
        {
            distance.Add(reference, actual);
            lost = Best(reference) == Best(actual) ? lost : Math.Max(lost, Margin(reference));
        }

        output.WriteLine(FormattableString.Invariant($"{distance.Rows} tokens: logits off by {distance.Error:0.0000}, divergence {distance.Divergence:0.0000000}, same choice {distance.Agreement:0.0000}, largest lead that was lost {lost:0.000}"));
        Assert.InRange(distance.Rows, 10, int.MaxValue);
        Assert.InRange(lost, 0, Tie);
        Assert.InRange(distance.Error, 1e-4, Noise);
        Assert.InRange(distance.Agreement, 0.97, 1);
    }

    private static async Task<IReadOnlyList<AnswerRows>> LogitsAsync(EngineOptions options, Func<AnswerLogits, Task<IReadOnlyList<AnswerRows>>> answer)
    {
        (options.Device, options.KvPositions, options.Cuda.PrefillTokens, options.Cuda.DeviceSampling) = ("cuda", 2048, 1024, false);
        await using var model = LoadedModel.Load(Repository.Path("models", "llava-scenes"), options, time: null, EmulatedSession.Open);
        return await answer(new AnswerLogits(model));
    }

    /// <summary>Those of a scene share what is before them, copies of scales included.</summary>
    private static IEnumerable<Question> Questions() => Enumerable.Range(0, int.MaxValue).Select(i => Scene.FromSeed(Scene.FirstHeldOutSeed + i, maxObjects: 3)).SelectMany(scene =>
    {
        var image = ScenePixels.Png(scene, 160);
        return new SceneQuestions(scene).OneOfEach().Select(asked => new Question { Text = asked.Question, Images = [image], Sampling = new SamplingSettings { MaxNewTokens = 16 } });
    });

    private static int Best(float[] logits) => Array.IndexOf(logits, logits.Max());

    /// <summary>How far the best token is before the second, by the size of the row's logits.</summary>
    private static double Margin(float[] logits)
    {
        var ordered = logits.OrderDescending().Take(2).ToArray();
        return (ordered[0] - ordered[1]) / Math.Sqrt(logits.Average(logit => (double)logit * logit));
    }
}
