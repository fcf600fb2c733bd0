using Llava.ModelCore.Engine;
using Llava.ModelCore.Models;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>What callers add to logits, and the probabilities they ask to see.</summary>
public sealed class LogitAdjustmentsTests
{
    private readonly Sampler _sampler = new();

    [Fact]
    public void A_penalty_counts_what_the_answer_holds_and_not_what_the_prompt_does()
    {
        // The prompt holds 3 and 4; the answer 0 twice and 1 once.
        int[] history = [3, 4, 0, 0, 1];
        float[] logits = [2.0f, 1.9f, 1.0f, 0, 0];

        Assert.Equal(0, Choose(logits, history, new()));
        Assert.Equal(1, Choose(logits, history, new() { FrequencyPenalty = 0.5 }));
        Assert.Equal(0, Choose(logits, history, new() { PresencePenalty = 0.5 }));
        Assert.Equal(2, Choose(logits, history, new() { PresencePenalty = 1.5 }));
        Assert.Equal(2, Choose(logits, history, new() { FrequencyPenalty = 0.95 }));
        Assert.Equal(0, Choose(logits, history, new() { FrequencyPenalty = -0.5 }));
    }

    [Fact]
    public void A_bias_forces_and_forbids_tokens_and_leaves_the_reported_probability_alone()
    {
        float[] logits = [2, 1, 0];
        var plain = _sampler.Sample(logits, [], new() { LogitBias = new Dictionary<int, double> { [1] = 100, [99] = 100, [-1] = 100 } }, 1, 0);

        Assert.Equal(1, plain.Id);
        Assert.Equal(1 - Math.Log(Math.Exp(2) + Math.Exp(1) + 1), plain.LogProbability, 5);
        Assert.Equal(1, Choose(logits, [], new() { LogitBias = new Dictionary<int, double> { [0] = -100 } }));
    }

    [Fact]
    public void A_stop_token_waits_for_the_least_number_of_tokens()
    {
        SamplingSettings settings = new() { MinNewTokens = 2, StopTokens = [0] };

        Assert.Equal(1, Choose([5, 1, 0], [], settings));
        Assert.Equal(1, Choose([5, 1, 0], [1], settings, step: 1));
        Assert.Equal(0, Choose([5, 1, 0], [1, 1], settings, step: 2));
    }

    [Fact]
    public void Min_p_keeps_what_is_probable_enough_beside_the_best()
    {
        float[] scores = [0, (float)Math.Log(0.11), (float)Math.Log(0.09), float.NegativeInfinity];
        _sampler.Warp(scores, [], new() { MinP = 0.1, Temperature = 1 });

        Assert.Equal([true, true, false, false], scores.Select(float.IsFinite));
    }

    [Fact]
    public void The_likeliest_tokens_are_those_of_torchs_log_softmax()
    {
        var model = RandomModel.Create(Requests.Config());
        var request = Requests.Question(new Random(3), Requests.Picture(new Random(4)), 6, 8) with { Sampling = new() { MaxNewTokens = 8, TopLogProbabilities = 5 } };
        using var harness = new EngineHarness(model);
        var sequence = harness.Run(request);
        var naive = NaiveGeneration.Greedy(model, request);

        for (var step = 0; step < 8; step++)
        {
            Assert.True(sequence.Handle.Tokens.TryRead(out var token));
            using var scope = NewDisposeScope();
            var reference = nn.functional.log_softmax(tensor(naive[step].Logits), 0).data<float>().ToArray();
            var best = reference.Index().OrderByDescending(one => one.Item).ThenBy(one => one.Index).Take(5).ToList();
            Assert.Equal(naive[step].Token, token.Id);
            Assert.Equal(reference[token.Id], token.LogProbability, tolerance: 1e-5f);
            Assert.Equal(best.Select(one => one.Index), token.Likeliest!.Select(one => one.Id));
            Assert.All(best.Zip(token.Likeliest!), pair => Assert.Equal(pair.First.Item, pair.Second.LogProbability, tolerance: 1e-5f));
        }

        model.Dispose();
    }

    [Fact]
    public void Nothing_is_reported_that_nobody_asked_for() => Assert.Null(_sampler.Sample([1, 2], [], new(), 1, 0).Likeliest);

    private int Choose(float[] logits, int[] history, SamplingSettings settings, int? step = null) =>
        _sampler.Sample(logits, history, settings, seed: 1, step ?? Math.Max(0, history.Length - 2)).Id;
}
