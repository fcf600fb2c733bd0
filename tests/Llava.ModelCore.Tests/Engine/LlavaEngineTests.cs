using Llava.ModelCore.Engine;
using Llava.ModelCore.Models;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>The engine as its users see it, on the real model.</summary>
public sealed class LlavaEngineTests : IAsyncLifetime
{
    private readonly Random _random = new(1);
    private readonly LlavaModel _model = RandomModel.Create(Requests.Config());
    private readonly LlavaEngine _engine;

    public LlavaEngineTests() => _engine = new LlavaEngine(_model, new EngineOptions { KvPositions = 2048, MaxSlots = 6 });

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _engine.DisposeAsync();
        _model.Dispose();
    }

    [Fact]
    public async Task Tokens_stream_in_the_order_of_the_result()
    {
        var request = Requests.Question(_random, Requests.Picture(_random), 6, 12);
        var handle = _engine.Submit(request);
        List<int> streamed = [];
        await foreach (var token in handle.Tokens.ReadAllAsync())
        {
            streamed.Add(token.Id);
        }

        var result = await handle.Completion;
        Assert.Equal(NaiveGeneration.Greedy(_model, request).Select(g => g.Token), streamed);
        Assert.Equal(streamed, result.Tokens);
        Assert.Equal(FinishReason.Length, result.Reason);
        Assert.Equal(new SequenceUsage(PromptTokens: 15, CachedTokens: 0, CompletionTokens: 12), result.Usage);
        Assert.True(result.Confidence.MinLogProbability <= result.Confidence.MeanLogProbability && result.Confidence.MeanLogProbability < 0);
        Assert.True(result.Timings.Prefill > TimeSpan.Zero && result.Timings.Decode > TimeSpan.Zero);
    }

    [Fact]
    public async Task Submitters_on_many_threads_get_what_they_would_get_alone()
    {
        var requests = Enumerable.Range(0, 24).Select(i => i % 3 == 0
            ? Requests.Question(_random, Requests.Picture(_random), _random.Next(10), 6)
            : Requests.Text(_random, _random.Next(1, 40), 6 + (i % 4), (RequestPriority)(i % 2))).ToArray();
        var results = new SequenceResult[requests.Length];
        await Parallel.ForAsync(0, requests.Length, async (i, cancellation) =>
            results[i] = await (await _engine.SubmitAsync(requests[i], cancellation)).Completion);

        using var harness = new EngineHarness(_model);
        Assert.All(requests.Zip(results), pair => Assert.Equal(harness.Run(pair.First).Generated.ToArray(), pair.Second.Tokens));
        Assert.Equal((requests.Length, 0), (_engine.Statistics.Finished, _engine.Statistics.Failed));
        Assert.Equal((0, 0, 0), (_engine.Statistics.Waiting, _engine.Statistics.Running, _engine.Statistics.KvUsage));
    }

    [Fact]
    public void Sequences_that_somebody_waits_for_are_counted_until_they_end()
    {
        using var harness = new EngineHarness(_model);
        harness.Submit(Requests.Text(_random, 4, 2));
        Assert.Equal(0, harness.Statistics.Urgent);
        harness.Submit(Requests.Text(_random, 4, 2, RequestPriority.Interactive));
        harness.Submit(Requests.Text(_random, 4, 3, RequestPriority.Express));

        Assert.Equal(2, harness.Statistics.Urgent);
        harness.RunToTheEnd();
        Assert.Equal(0, harness.Statistics.Urgent);
    }

    [Fact]
    public async Task A_seed_reproduces_a_sampled_text_and_an_unseeded_result_reports_its_own()
    {
        var sampling = new SamplingSettings { MaxNewTokens = 20, Temperature = 1.5 };
        var request = Requests.Text(_random, 10, 1) with { Sampling = sampling };
        var first = await _engine.Submit(request).Completion;
        var again = await _engine.Submit(request with { Sampling = sampling with { Seed = first.Seed } }).Completion;
        var other = await _engine.Submit(request with { Sampling = sampling with { Seed = first.Seed + 1 } }).Completion;

        Assert.Equal(first.Tokens, again.Tokens);
        Assert.NotEqual(first.Tokens, other.Tokens);
    }

    [Fact]
    public async Task A_stop_token_ends_its_own_row_and_is_the_last_token()
    {
        var request = Requests.Text(_random, 12, 20);
        var free = await _engine.Submit(request).Completion;
        var stop = free.Tokens[5];
        var handles = new[]
        {
            _engine.Submit(request with { Sampling = request.Sampling with { StopTokens = [stop] } }),
            _engine.Submit(request),
        };
        var stopped = await handles[0].Completion;
        Assert.Equal(free.Tokens.TakeWhile(t => t != stop).Append(stop), stopped.Tokens);
        Assert.Equal(FinishReason.Stop, stopped.Reason);
        Assert.Equal(free.Tokens, (await handles[1].Completion).Tokens);
    }

    [Fact]
    public async Task A_stop_condition_sees_every_token_of_its_row_and_ends_it()
    {
        var request = Requests.Text(_random, 12, 20);
        var condition = new StopAfter(4);
        var handles = new[] { _engine.Submit(request with { StopCondition = condition }), _engine.Submit(Requests.Text(_random, 9, 20)) };
        var stopped = await handles[0].Completion;

        Assert.Equal((4, FinishReason.Stop), (stopped.Tokens.Count, stopped.Reason));
        Assert.Equal(stopped.Tokens, condition.Seen);
        Assert.Equal(20, (await handles[1].Completion).Tokens.Count);
    }

    [Fact]
    public async Task A_stop_condition_that_throws_fails_its_own_row()
    {
        var handles = new[]
        {
            _engine.Submit(Requests.Text(_random, 12, 20) with { StopCondition = new StopAfter(-1) }),
            _engine.Submit(Requests.Text(_random, 9, 20)),
        };
        var failed = await handles[0].Completion;

        Assert.Equal(FinishReason.Error, failed.Reason);
        Assert.IsType<InvalidOperationException>(failed.Error!.InnerException);
        Assert.Equal(FinishReason.Length, (await handles[1].Completion).Reason);
    }

    [Fact]
    public async Task Five_questions_on_an_image_prefill_a_third_of_what_five_images_do()
    {
        var image = Requests.Picture(_random);
        var before = _engine.Statistics;
        var results = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ =>
            _engine.Submit(Requests.Question(_random, image, 1, 4)).Completion));
        var prefilled = _engine.Statistics.PrefillTokens - before.PrefillTokens;
        Assert.True(results.Sum(r => r.Usage.PromptTokens) >= 3 * prefilled);
        Assert.Equal(results.Sum(r => r.Usage.PromptTokens - r.Usage.CachedTokens), prefilled);
        Assert.Equal(1, _engine.Statistics.ImagesEncoded);
        Assert.Equal(4, _engine.Statistics.PrefixHits);
    }

    /// <summary>Stops after some tokens; after a negative number it throws.</summary>
    private sealed class StopAfter(int tokens) : IStopCondition
    {
        public List<int> Seen { get; } = [];

        public bool ShouldStop(int token)
        {
            Seen.Add(token);
            return tokens < 0 ? throw new InvalidOperationException("Broken on purpose.") : Seen.Count == tokens;
        }
    }
}
