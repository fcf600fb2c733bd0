using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Models;
using TorchSharp;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>What holds for every runner.</summary>
public abstract class RunnerTests : IDisposable
{
    // Float32 rounding of a two-layer model whose logits are of the order of 10.
    private const float Tolerance = 1e-4f;
    private readonly Random _random = new(1);
    private readonly LlavaModel _model;

    /// <param name="config">The model; null is one of the LLaMA family.</param>
    protected RunnerTests(LlavaConfig? config = null) => _model = RandomModel.Create(config ?? Requests.Config());

    public void Dispose() => _model.Dispose();

    /// <summary>Chooses the runner.</summary>
    private protected abstract void Choose(EngineOptions options);

    [Fact]
    public void Greedy_text_and_logits_equal_full_recomputation()
    {
        using var harness = Harness();
        foreach (var request in Mixed(10).Where(r => r.Sampling.IsGreedy))
        {
            AssertNear(NaiveGeneration.Greedy(_model, request), harness, harness.Run(request));
        }
    }

    [Fact]
    public void Several_images_are_spliced_in_order()
    {
        using var harness = Harness(new EngineOptions { KvPositions = 4096, FeatureCacheBytes = 800 });
        var images = Enumerable.Range(0, 3).Select(_ => Requests.Picture(_random)).ToArray();
        var request = new SequenceRequest
        {
            PromptTokens = [Requests.Image, 4, Requests.Image, Requests.Image, 7, 8, Requests.Image],
            Images = [images[0], images[1], images[0], images[2]],
            Sampling = new SamplingSettings { MaxNewTokens = 6 },
        };
        AssertNear(NaiveGeneration.Greedy(_model, request), harness, harness.Run(request));

        var swapped = request with { Images = [images[1], images[0], images[0], images[2]] };
        AssertNear(NaiveGeneration.Greedy(_model, swapped), harness, harness.Run(swapped));
        Assert.NotEqual(harness.Logits.Values.First()[0], harness.Logits.Values.Last()[0]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_rows_logits_are_the_same_bits_alone_and_in_any_batch(int seed)
    {
        var random = new Random(seed);
        // The last prompt is longer than any block.
        SequenceRequest[] requests = [.. Mixed(13), Requests.Text(_random, 300, 8)];
        using var alone = Harness(new EngineOptions { KvPositions = 4096, PrefixCacheEntries = 0 });
        var expected = requests.Select(r => alone.Bits(alone.Run(r))).ToArray();

        using var crowded = Harness(new EngineOptions { KvPositions = 2048, MaxSlots = random.Next(2, 14), MaxStepTokens = 1100 });
        var order = Enumerable.Range(0, requests.Length).ToArray();
        random.Shuffle(order);
        Dictionary<int, Sequence> sequences = [];
        foreach (var i in order)
        {
            sequences[i] = crowded.Submit(requests[i]);
            for (var steps = random.Next(4); steps > 0; steps--)
            {
                crowded.Step();
            }
        }

        crowded.RunToTheEnd();
        Assert.True(crowded.Statistics.BatchFill > 0.2, "The batch was never a batch.");
        Assert.All(sequences, pair => Assert.Equal(expected[pair.Key], crowded.Bits(pair.Value)));
    }

    [Fact]
    public void A_shared_prefix_changes_no_bit()
    {
        var image = Requests.Picture(_random);
        var requests = Enumerable.Range(0, 5).Select(i => Requests.Question(_random, image, 3 + i, 6)).ToArray();
        using var without = Harness(new EngineOptions { KvPositions = 4096, PrefixCacheEntries = 0 });
        using var with = Harness();
        foreach (var request in requests)
        {
            var (miss, hit) = (without.Run(request), with.Run(request));
            Assert.Equal(without.Bits(miss), with.Bits(hit));
        }

        Assert.Equal((0, 4), (without.Statistics.PrefixHits, with.Statistics.PrefixHits));
        Assert.Equal((5, 1), (without.Statistics.ImagesEncoded + without.Statistics.FeatureHits, with.Statistics.ImagesEncoded));
        Assert.Equal(without.Statistics.PrefillTokens - with.Statistics.PrefillTokens, with.Statistics.CachedTokens);
    }

    [Fact]
    public void A_prompt_in_chunks_gives_what_it_gives_whole()
    {
        using var whole = Harness();
        using var chunked = Harness(new EngineOptions { KvPositions = 4096, PrefillChunkTokens = 16, MaxStepTokens = 64 });
        var request = Requests.Question(_random, Requests.Picture(_random), 70, 8) with { PromptTokens = [.. Requests.Words(_random, 37), Requests.Image, .. Requests.Words(_random, 50)] };
        AssertNear(NaiveGeneration.Greedy(_model, request), whole, whole.Run(request));
        AssertNear(NaiveGeneration.Greedy(_model, request), chunked, chunked.Run(request));
        Assert.True(chunked.Statistics.Steps > whole.Statistics.Steps);
    }

    [Theory]
    [InlineData(RopeScalingKind.Dynamic)]
    [InlineData(RopeScalingKind.Linear)]
    public void Scaled_positions_beyond_the_trained_length_do_not_depend_on_neighbours(RopeScalingKind kind)
    {
        using var model = RandomModel.Create(Requests.Config(new RopeScaling(kind, 4), maxPositions: 24));
        var requests = Enumerable.Range(0, 6).Select(i => Requests.Text(_random, 12 + (5 * i), 10)).ToArray();
        using var alone = Harness(model: model);
        using var together = Harness(model: model);
        var sequences = requests.Select(together.Submit).ToArray();
        together.RunToTheEnd();
        for (var i = 0; i < requests.Length; i++)
        {
            Assert.Equal(alone.Bits(alone.Run(requests[i])), together.Bits(sequences[i]));
        }
    }

    [Fact]
    public void An_image_that_makes_nonsense_fails_alone()
    {
        using var harness = Harness();
        var pixels = Requests.Picture(_random).Pixels;
        pixels[5] = float.NaN;
        var good = Mixed(5);
        var sequences = good.Select(harness.Submit).ToList();
        var bad = harness.Submit(Requests.Question(_random, new ImageInput(pixels, 16), 4, 4));
        harness.RunToTheEnd();

        Assert.Equal(FinishReason.Error, EngineHarness.Result(bad).Reason);
        Assert.Contains("not finite", EngineHarness.Result(bad).Error!.Message, StringComparison.Ordinal);
        Assert.All(sequences, s => Assert.Equal(FinishReason.Length, EngineHarness.Result(s).Reason));
        using var alone = Harness();
        Assert.All(good.Zip(sequences), pair => Assert.Equal(alone.Bits(alone.Run(pair.First)), harness.Bits(pair.Second)));
    }

    [Fact]
    public void A_row_that_breaks_its_decoding_pass_fails_alone()
    {
        using var harness = Harness();
        var sequences = Mixed(5).Select(harness.Submit).ToList();
        var record = harness.Sampled!;
        harness.Sampled = (sequence, logits) =>
        {
            record(sequence, logits);
            if (sequence == sequences[2] && sequence.Generated.Length == 2)
            {
                throw new InvalidOperationException("Broken on purpose.");
            }
        };
        harness.RunToTheEnd();

        Assert.Equal(FinishReason.Error, EngineHarness.Result(sequences[2]).Reason);
        Assert.Equal(2, sequences[2].Generated.Length);
        Assert.Single(sequences, s => EngineHarness.Result(s).Reason == FinishReason.Error);
    }

    [Fact]
    public void Steps_without_number_leave_no_memory_behind()
    {
        using var harness = Harness(new EngineOptions { KvPositions = 1024, FeatureCacheBytes = 0 });
        Work();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        var (steps, memory) = (harness.Statistics.Steps, Environment.WorkingSet);
        while (harness.Statistics.Steps < steps + Soak.Steps(quick: 300))
        {
            Work();
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        // Only the long form says something about it: others use memory too while tests run side by side.
        Assert.InRange(Environment.WorkingSet - memory, long.MinValue, Soak.IsLong ? 64L << 20 : long.MaxValue);

        void Work()
        {
            Array.ForEach(Mixed(6), request => harness.Submit(request));
            harness.RunToTheEnd();
            harness.Logits.Clear();
        }
    }

    /// <summary>Managed bytes that a step of rows that decode takes, everything but the copies of logits included.</summary>
    private protected long BytesOfDecodingStep(int rows)
    {
        using var harness = Harness();
        harness.Sampled = null;
        for (var i = 0; i < rows; i++)
        {
            harness.Submit(Requests.Text(_random, 20, 100));
        }

        Steps(10);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Steps(50);
        return (GC.GetAllocatedBytesForCurrentThread() - before) / 50;

        void Steps(int count)
        {
            for (var i = 0; i < count; i++)
            {
                Assert.True(harness.Step());
            }
        }
    }

    private protected EngineHarness Harness(EngineOptions? options = null, LlavaModel? model = null)
    {
        options ??= new EngineOptions { KvPositions = 4096 };
        Choose(options);
        return new EngineHarness(model ?? _model, options);
    }

    /// <summary>Prompts of every kind: text and images, short and long, greedy and sampled.</summary>
    private protected SequenceRequest[] Mixed(int count)
    {
        var pictures = Enumerable.Range(0, 3).Select(_ => Requests.Picture(_random)).ToArray();
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var request = i % 2 == 0
                ? Requests.Text(_random, 1 + _random.Next(60), 8 + (i % 5))
                : Requests.Question(_random, pictures[_random.Next(3)], _random.Next(20), 8 + (i % 7));
            return i % 5 == 4 ? request with { Sampling = request.Sampling with { Temperature = 0.8, TopP = 0.9, Seed = i } } : request;
        })];
    }

    private protected static void AssertNear(List<(int Token, float[] Logits)> expected, EngineHarness harness, Sequence sequence)
    {
        var rows = harness.Logits[sequence];
        Assert.Equal(expected.Count, rows.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            Assert.All(expected[i].Logits.Zip(rows[i]), pair => Assert.InRange(pair.Second, pair.First - Tolerance, pair.First + Tolerance));
        }

        Assert.Equal(expected.Select(e => e.Token), sequence.Generated.ToArray());
    }
}
