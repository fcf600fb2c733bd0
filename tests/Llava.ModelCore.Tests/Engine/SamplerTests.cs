using Llava.ModelCore.Engine;

namespace Llava.ModelCore.Tests.Engine;

public sealed class SamplerTests
{
    private static readonly float[] Logits = [1, 3, 2, 3, -1, 0];
    private readonly Sampler _sampler = new();

    [Fact]
    public void Greedy_takes_the_first_of_the_best() =>
        Assert.Equal(1, _sampler.Sample(Logits, [], new SamplingSettings(), seed: 1, step: 0).Id);

    [Fact]
    public void The_repetition_penalty_holds_for_greedy_too_and_skips_image_placeholders() =>
        Assert.Equal(3, _sampler.Sample(Logits, [1, 1, -200], new SamplingSettings { RepetitionPenalty = 1.1 }, seed: 1, step: 0).Id);

    [Fact]
    public void Ids_beyond_the_vocabulary_limit_are_never_chosen()
    {
        var settings = new SamplingSettings { Temperature = 5, VocabularyLimit = 3 };
        Assert.All(Enumerable.Range(0, 500), step => Assert.InRange(_sampler.Sample(Logits, [], settings, seed: 1, step).Id, 0, 2));
        Assert.Equal(0, _sampler.Sample(Logits, [], new SamplingSettings { VocabularyLimit = 1 }, seed: 1, step: 0).Id);
    }

    [Fact]
    public void The_log_probability_is_the_models_own()
    {
        var chosen = _sampler.Sample(Logits, [1], new SamplingSettings { RepetitionPenalty = 3 }, seed: 1, step: 0);
        var expected = Logits[chosen.Id] - Math.Log(Logits.Sum(l => Math.Exp(l)));
        Assert.Equal((3, expected), (chosen.Id, chosen.LogProbability), new Near());
    }

    [Fact]
    public void Draws_follow_the_probabilities()
    {
        const int Draws = 40_000;
        var counts = new int[Logits.Length];
        for (var step = 0; step < Draws; step++)
        {
            counts[_sampler.Sample(Logits, [], new SamplingSettings { Temperature = 1 }, seed: 7, step).Id]++;
        }

        var sum = Logits.Sum(l => Math.Exp(l));
        for (var i = 0; i < Logits.Length; i++)
        {
            var p = Math.Exp(Logits[i]) / sum;
            // Five standard deviations of a binomial count.
            Assert.InRange(counts[i] - (p * Draws), -5 * Math.Sqrt(Draws * p * (1 - p)), 5 * Math.Sqrt(Draws * p * (1 - p)));
        }
    }

    [Fact]
    public void A_draw_depends_on_seed_and_step_alone()
    {
        var settings = new SamplingSettings { Temperature = 2 };
        var first = Enumerable.Range(0, 50).Select(step => new Sampler().Sample(Logits, [], settings, seed: 3, step)).ToArray();
        var backwards = Enumerable.Range(0, 50).Reverse().Select(step => _sampler.Sample(Logits, [], settings, seed: 3, step)).Reverse();
        Assert.Equal(first, backwards);
        Assert.NotEqual(first, Enumerable.Range(0, 50).Select(step => _sampler.Sample(Logits, [], settings, seed: 4, step)));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Logits_that_are_not_finite_fail_the_sequence_instead_of_writing_nonsense(float value) =>
        Assert.Throws<SequenceFailedException>(() => _sampler.Sample([1, value, 2], [], new SamplingSettings(), seed: 1, step: 0));

    [Fact]
    public void Sampling_reuses_its_buffers()
    {
        var random = new Random(1);
        var row = Enumerable.Range(0, 32_000).Select(_ => (float)random.NextDouble() * 10).ToArray();
        var settings = new SamplingSettings { Temperature = 0.7, TopK = 50, TopP = 0.9, RepetitionPenalty = 1.1 };
        Draw(10);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Draw(100);
        // Zero in a release build; a debug build boxes a few numbers. One buffer would be 128,000 bytes.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 100, 0, 100);

        void Draw(int times)
        {
            for (var step = 0; step < times; step++)
            {
                _sampler.Sample(row, [1, 2, 3], settings, seed: 1, step);
            }
        }
    }

    private sealed class Near : IEqualityComparer<(int Id, double Log)>
    {
        public bool Equals((int Id, double Log) x, (int Id, double Log) y) => x.Id == y.Id && Math.Abs(x.Log - y.Log) < 1e-5;

        public int GetHashCode((int Id, double Log) obj) => obj.Id;
    }
}
