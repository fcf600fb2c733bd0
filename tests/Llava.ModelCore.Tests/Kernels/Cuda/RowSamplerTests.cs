using Llava.ModelCore.Engine;
using Llava.ModelCore.Kernels.Cuda;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

/// <summary>The kernel beside the host's sampler, which is the reference.</summary>
public sealed class RowSamplerTests : IDisposable
{
    private readonly EmulatedDevice _device = new();
    private readonly FreshNumbers _numbers = new();
    private readonly Sampler _sampler = new();

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(1031)]
    public void Every_setting_draws_what_the_host_would_draw(int vocabulary)
    {
        SamplingSettings[] rows =
        [
            new() { Temperature = 0 }, new() { Temperature = 1 }, new() { Temperature = 0.2 }, new() { Temperature = 3, TopK = 5 }, new() { Temperature = 1, TopP = 0.6 },
            new() { Temperature = 0.7, TopK = 20, TopP = 0.9 }, new() { Temperature = 1, TopK = vocabulary }, new() { Temperature = 1, TopP = 0.0001 },
        ];
        var stride = vocabulary + 3;
        // Not rounded to bfloat16: equal scores would be kept or left by other rules than the host's.
        var logits = Numbers.Ordinary(_numbers.Random, rows.Length * stride).Select(value => value * 3).ToArray();
        var (tokens, logProbabilities, seeds) = Sample(logits, rows, vocabulary, stride);
        for (var row = 0; row < rows.Length; row++)
        {
            var own = logits.AsSpan(row * stride, vocabulary);
            AssertExplained(own, rows[row], seeds[row], row, tokens[row]);
            Assert.Equal(_sampler.Score(own, tokens[row], rows[row]).LogProbability, logProbabilities[row], 1e-4);
        }
    }

    [Fact]
    public void Of_equal_scores_the_first_is_the_best_and_all_are_among_the_best_k()
    {
        var logits = Enumerable.Repeat(-1f, 700).ToArray();
        (logits[3], logits[600], logits[601]) = (2, 2, 2);
        Assert.Equal([3], Sample(logits, [new SamplingSettings()], 700, 700).Tokens);

        // A seed for each third of the draws.
        SamplingSettings[] rows = [.. Enumerable.Range(0, 3).Select(row => new SamplingSettings
        {
            Temperature = 1,
            TopK = 1,
            Seed = Enumerable.Range(0, 1000).First(seed => (int)(3 * CounterRandom.UnitInterval(seed, row)) == row),
        })];
        Assert.Equal([3, 600, 601], Sample([.. logits, .. logits, .. logits], rows, 700, 700).Tokens);
    }

    [Fact]
    public void Logits_that_are_no_numbers_give_no_token_and_forbidden_ones_are_never_drawn()
    {
        float[] forbidden = [.. Enumerable.Repeat(float.NegativeInfinity, 49), -3];
        float[] nothing = [.. Enumerable.Repeat(float.NegativeInfinity, 50)];
        float[] nan = [.. _numbers.Ordinary(49), float.NaN];
        float[] infinite = [.. _numbers.Ordinary(49), float.PositiveInfinity];
        SamplingSettings drawn = new() { Temperature = 2, TopP = 0.9 };
        var tokens = Sample([.. forbidden, .. nothing, .. nan, .. infinite, .. forbidden], [drawn, drawn, drawn, drawn, new()], 50, 50).Tokens;
        Assert.Equal([49, -1, -1, -1, 49], tokens);
    }

    [Fact]
    public void A_temperature_next_to_zero_takes_the_best()
    {
        var logits = _numbers.Ordinary(300);
        logits[123] = 9;
        Assert.Equal([123], Sample(logits, [new SamplingSettings { Temperature = 1e-6 }], 300, 300).Tokens);
    }

    private (int[] Tokens, float[] LogProbabilities, long[] Seeds) Sample(float[] logits, SamplingSettings[] rows, int vocabulary, int stride)
    {
        long[] seeds = [.. rows.Select(row => row.Seed ?? _numbers.Random.NextInt64())];
        using DeviceMemory<float> scores = new(logits), temperatures = new([.. rows.Select(row => (float)row.Temperature)]), topPs = new([.. rows.Select(row => (float)row.TopP)]);
        using DeviceMemory<int> topKs = new([.. rows.Select(row => row.TopK)]), steps = new([.. Enumerable.Range(0, rows.Length)]), tokens = new(rows.Length);
        using DeviceMemory<long> seedRows = new(seeds);
        using DeviceMemory<float> logProbabilities = new(rows.Length);
        RowSampler sampler = new(scores, temperatures, topKs, topPs, seedRows, steps, tokens, logProbabilities);
        _device.InEveryOrder(() => sampler.Launch(_device.Kernels, rows.Length, vocabulary, stride), tokens);
        logProbabilities.ThrowIfTouchedOutside();
        return (tokens.ToArray(), logProbabilities.ToArray(), seeds);
    }

    /// <summary>The draw falls into the token's interval, whose ends and whose border of top-p may be off by what exponentials are off.</summary>
    private void AssertExplained(ReadOnlySpan<float> logits, SamplingSettings settings, long seed, int step, int token)
    {
        const double Slack = 1e-5;
        if (settings.IsGreedy)
        {
            Assert.Equal(_sampler.Sample(logits, [], settings, seed, step).Id, token);
            return;
        }

        var uniform = CounterRandom.UnitInterval(seed, step);
        List<string> intervals = [];
        foreach (var topP in settings.TopP < 1 ? (double[])[settings.TopP - Slack, settings.TopP, settings.TopP + Slack] : [1])
        {
            var scores = logits.ToArray();
            _sampler.Warp(scores, [], settings with { TopP = topP });
            var weights = scores.Select(score => Math.Exp(score - scores.Max())).ToArray();
            var (before, own) = (weights.Take(token).Sum() / weights.Sum(), weights[token] / weights.Sum());
            if (own > 0 && uniform >= before - Slack && uniform <= before + own + Slack)
            {
                return;
            }

            intervals.Add($"[{before}, {before + own})");
        }

        Assert.Fail($"{settings} drew token {token} of {string.Join(" or ", intervals)} with {uniform}, {_numbers}");
    }
}
