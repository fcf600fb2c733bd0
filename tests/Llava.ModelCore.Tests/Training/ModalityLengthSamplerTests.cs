using Llava.ModelCore.Training;

namespace Llava.ModelCore.Tests.Training;

public sealed class ModalityLengthSamplerTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 1)]
    [InlineData(4, 3)]
    [InlineData(16, 8)]
    public void Every_sample_is_seen_once_whatever_the_sizes(int microBatch, int accumulation)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var samples = Samples(images: 337 + seed, texts: seed % 3 * 111, seed);
            var sampler = new ModalityLengthSampler(samples, microBatch, accumulation, seed);

            Assert.Equal(Enumerable.Range(0, samples.Count), sampler.Epoch(0).Order());
            Assert.Equal(Enumerable.Range(0, samples.Count), sampler.Epoch(1).Order());
            Assert.NotEqual(sampler.Epoch(0), sampler.Epoch(1));
        }
    }

    [Fact]
    public void Only_the_put_aside_tail_mixes_modalities()
    {
        const int MicroBatch = 4, Accumulation = 2, Megabatch = MicroBatch * Accumulation;
        var samples = Samples(images: 61, texts: 43, seed: 5);

        var order = new ModalityLengthSampler(samples, MicroBatch, Accumulation, seed: 5).Epoch(0);

        var tail = (61 % Megabatch) + (43 % Megabatch);
        foreach (var megabatch in order.SkipLast(tail).Chunk(Megabatch))
        {
            Assert.Single(megabatch.Select(i => samples[i].HasImage).Distinct());
        }

        Assert.Equal(order.TakeLast(tail).Order(), order.TakeLast(tail));
    }

    [Fact]
    public void Micro_batches_hold_samples_of_similar_length()
    {
        var samples = Samples(images: 4096, texts: 0, seed: 9);
        var grouped = new ModalityLengthSampler(samples, microBatch: 8, accumulation: 16, seed: 9).Epoch(0);
        var shuffled = new ShuffledOrder([.. Enumerable.Range(0, 4096)], seed: 9).Epoch(0);

        // Dealing by running length evens out chunks rather than making each uniform, so padding falls, but not to zero.
        Assert.True(Totals(grouped).StandardDeviation < 0.25 * Totals(shuffled).StandardDeviation);

        (double Mean, double StandardDeviation) Totals(IEnumerable<int> order)
        {
            var totals = order.Chunk(8).Select(batch => (double)batch.Sum(i => samples[i].Words)).ToList();
            return (totals.Average(), Math.Sqrt(totals.Select(total => Math.Pow(total - totals.Average(), 2)).Average()));
        }
    }

    [Fact]
    public void A_single_process_without_accumulation_sees_each_megabatch_longest_first()
    {
        var samples = Samples(images: 64, texts: 0, seed: 3);

        foreach (var batch in new ModalityLengthSampler(samples, microBatch: 8, accumulation: 1, seed: 3).Epoch(0).Chunk(8))
        {
            Assert.Equal(batch.OrderByDescending(i => samples[i].Words).Select(i => samples[i].Words), batch.Select(i => samples[i].Words));
        }
    }

    [Fact]
    public void A_sample_without_words_is_refused() =>
        Assert.Throws<TrainingException>(() => new ModalityLengthSampler([new SampleLength(0, 0, true)], 1, 1, 1));

    private static List<SampleLength> Samples(int images, int texts, int seed)
    {
        var random = new SeededRandom(seed, 77);
        return [.. random.Permutation(images + texts).Select((kind, index) => new SampleLength(index, 1 + random.Below(500), kind < images))];
    }
}
