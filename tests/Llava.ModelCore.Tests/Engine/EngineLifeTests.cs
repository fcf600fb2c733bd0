using Llava.ModelCore.Engine;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>Queueing, cancelling, failing and stopping, on a runner that is under the test's control.</summary>
public sealed class EngineLifeTests
{
    private const int Endless = 400;
    private readonly Random _random = new(1);

    [Fact]
    public async Task A_running_sequence_is_cancelled_by_its_handle_and_keeps_its_tokens()
    {
        await using var engine = Engine(new ScriptedRunner(Steps(3)));
        var handle = engine.Submit(Requests.Text(_random, 5, Endless));
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(7, (await handle.Tokens.ReadAsync()).Id);
        }

        handle.Cancel();
        _steps.Release(1000);
        var result = await handle.Completion;
        Assert.Equal(FinishReason.Cancelled, result.Reason);
        Assert.InRange(result.Tokens.Count, 2, 4);
    }

    [Fact]
    public async Task A_waiting_sequence_is_cancelled_by_its_token_without_a_step()
    {
        await using var engine = Engine(new ScriptedRunner(Steps(0)), new EngineOptions { MaxSlots = 1 });
        engine.Submit(Requests.Text(_random, 5, Endless));
        using var cancellation = new CancellationTokenSource();
        var waiting = engine.Submit(Requests.Text(_random, 5, Endless), cancellation.Token);
        await cancellation.CancelAsync();
        _steps.Release();
        var result = await waiting.Completion;
        Assert.Equal((FinishReason.Cancelled, 0, TimeSpan.Zero), (result.Reason, result.Tokens.Count, result.Timings.Prefill));
        _steps.Release(1000);
    }

    [Fact]
    public async Task A_full_queue_refuses_or_waits_and_bulk_does_not_fill_the_interactive_one()
    {
        await using var engine = Engine(new ScriptedRunner(Steps(0)), new EngineOptions { MaxSlots = 1, MaxWaiting = 2 });
        var first = engine.Submit(Requests.Text(_random, 5, 2));
        while (engine.Statistics.Running == 0)
        {
            await Task.Yield();
        }

        var queued = Enumerable.Range(0, 2).Select(_ => engine.Submit(Requests.Text(_random, 5, 2))).ToArray();
        Assert.Throws<EngineBusyException>(() => engine.Submit(Requests.Text(_random, 5, 2)));
        var late = engine.SubmitAsync(Requests.Text(_random, 5, 2));
        Assert.False(late.IsCompleted);
        var interactive = engine.Submit(Requests.Text(_random, 5, 2, RequestPriority.Interactive));

        _steps.Release(1000);
        Assert.Equal(FinishReason.Length, (await first.Completion).Reason);
        Assert.Equal(FinishReason.Length, (await interactive.Completion).Reason);
        await Task.WhenAll(queued.Select(q => q.Completion));
        Assert.Equal(FinishReason.Length, (await (await late).Completion).Reason);
    }

    [Fact]
    public async Task A_step_that_fails_ends_those_in_it_with_an_error_and_the_engine_goes_on()
    {
        await using var engine = Engine(new ScriptedRunner { BeforeStep = step => ThrowIf(step == 3) });
        var failed = await engine.Submit(Requests.Text(_random, 5, Endless)).Completion;
        var next = await engine.Submit(Requests.Text(_random, 5, 4)).Completion;

        Assert.Equal((FinishReason.Error, 2), (failed.Reason, failed.Tokens.Count));
        Assert.True(failed.Error!.IsRetryable);
        Assert.Contains("Broken on purpose", failed.Error.Message, StringComparison.Ordinal);
        Assert.Equal((FinishReason.Length, 4), (next.Reason, next.Tokens.Count));
        Assert.Equal((2, 1), (engine.Statistics.Finished, engine.Statistics.Failed));
    }

    [Fact]
    public async Task Stopping_lets_running_sequences_finish_and_cancels_waiting_ones()
    {
        var runner = new ScriptedRunner(Steps(1));
        var engine = Engine(runner, new EngineOptions { MaxSlots = 1 });
        var running = engine.Submit(Requests.Text(_random, 5, 6));
        await running.Tokens.ReadAsync();
        var waiting = engine.Submit(Requests.Text(_random, 5, 6));
        var stop = engine.StopAsync(TimeSpan.FromMinutes(10));
        Assert.Throws<EngineStoppedException>(() => engine.Submit(Requests.Text(_random, 5, 6)));
        _steps.Release(1000);
        await stop;

        Assert.Equal((FinishReason.Length, 6), ((await running.Completion).Reason, (await running.Completion).Tokens.Count));
        Assert.Equal(FinishReason.Cancelled, (await waiting.Completion).Reason);
        Assert.True(runner.IsDisposed);
        await engine.DisposeAsync();
        await Assert.ThrowsAsync<EngineStoppedException>(() => engine.SubmitAsync(Requests.Text(_random, 5, 6)));
    }

    [Fact]
    public async Task The_limit_of_a_stop_cancels_what_still_runs()
    {
        var time = new ManualTimer();
        var options = new EngineOptions { KvPositions = 1_000_000 };
        await using var engine = new LlavaEngine(Requests.Config(maxPositions: 1_000_000), options, _ => new ScriptedRunner(), time);
        var running = engine.Submit(Requests.Text(_random, 5, 900_000));
        await running.Tokens.ReadAsync();
        var stop = engine.StopAsync(TimeSpan.FromMinutes(1));
        Assert.False(stop.IsCompleted);
        time.Fire();
        await stop;

        Assert.Equal(FinishReason.Cancelled, (await running.Completion).Reason);
    }

    [Fact]
    public async Task Disposing_completes_every_request()
    {
        var engine = Engine(new ScriptedRunner(Steps(0)), new EngineOptions { MaxSlots = 2 });
        var handles = Enumerable.Range(0, 6).Select(_ => engine.Submit(Requests.Text(_random, 5, Endless))).ToArray();
        var stop = engine.DisposeAsync();
        _steps.Release(1000);
        await stop;
        Assert.All(await Task.WhenAll(handles.Select(h => h.Completion)), r => Assert.Equal(FinishReason.Cancelled, r.Reason));
    }

    [Fact]
    public async Task A_defect_of_the_engine_itself_completes_every_request_and_says_so()
    {
        var time = new ClockThatFailsOnce();
        await using var engine = new LlavaEngine(Requests.Config(), new EngineOptions { MaxSlots = 1, KvPositions = 512 }, _ => new ScriptedRunner(Steps(0)), time);
        var handles = Enumerable.Range(0, 3).Select(_ => engine.Submit(Requests.Text(_random, 5, 20))).ToArray();
        while (engine.Statistics.Running == 0)
        {
            await Task.Yield();
        }

        time.Fail();
        _steps.Release(1000);
        Assert.All(await Task.WhenAll(handles.Select(h => h.Completion)), r => Assert.Equal(FinishReason.Error, r.Reason));
        await engine.StopAsync(TimeSpan.Zero);
        var refused = Assert.Throws<EngineStoppedException>(() => engine.Submit(Requests.Text(_random, 5, 20)));
        Assert.Contains("clock is broken", refused.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string, int[], int, int> Refused() => new()
    {
        { "prompt_too_long", "290 positions (image features included) and asks for 230 new tokens: 520 in all. The limit is 512", [.. Enumerable.Repeat(5, 286), -200], 1, 230 },
        { "image_count_mismatch", "2 image placeholders and the request 1 images", [-200, 5, -200], 1, 8 },
        { "image_count_mismatch", "0 image placeholders and the request 1 images", [5], 1, 8 },
        { "invalid_token", "Token 1 of the prompt has id 97; the model knows 0 to 96", [5, 97], 0, 8 },
        { "invalid_token", "no tokens", [], 0, 8 },
        { "invalid_settings", "MaxNewTokens is 0", [5], 0, 0 },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_cannot_be_run_is_refused_at_submission_with_the_numbers(string code, string message, int[] prompt, int images, int maxNewTokens)
    {
        await using var engine = Engine(new ScriptedRunner(), new EngineOptions { KvPositions = 1024 });
        var request = new SequenceRequest
        {
            PromptTokens = prompt,
            Images = [.. Enumerable.Range(0, images).Select(_ => Requests.Picture(_random))],
            Sampling = new SamplingSettings { MaxNewTokens = maxNewTokens },
        };
        var refused = Assert.Throws<RequestRefusedException>(() => engine.Submit(request));
        Assert.Equal(code, refused.Code);
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.Equal(FinishReason.Length, (await engine.Submit(Requests.Text(_random, 282, 230)).Completion).Reason);
    }

    [Fact]
    public async Task An_image_of_another_size_is_refused()
    {
        await using var engine = Engine(new ScriptedRunner());
        var refused = Assert.Throws<RequestRefusedException>(() => engine.Submit(Requests.Question(_random, Requests.Picture(_random, 24), 3, 3)));
        Assert.Contains("side 24; the vision tower takes 16", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_findings_on_the_options_come_at_once()
    {
        var options = new EngineOptions { MaxSlots = 0, MaxStepTokens = 100, PrefillChunkTokens = 200 };
        var failure = Assert.Throws<EngineOptionsException>(() => Engine(new ScriptedRunner(), options));
        Assert.Contains(nameof(options.MaxSlots), failure.Message, StringComparison.Ordinal);
        Assert.Contains("MaxStepTokens is 100", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(640_000, 512)]
    [InlineData(1L << 42, 2048)]
    [InlineData(1_152_000, 900)]
    public void The_cache_holds_a_full_context_at_least_and_one_per_slot_at_most(long bytes, int positions)
    {
        var model = Requests.Config().LanguageModel with { Layers = 10 };
        Assert.Equal(positions, new EngineOptions { MaxSlots = 4, KvCacheBytes = bytes, Runner = RunnerKind.Torch }.KvPositionsFor(model));
    }

    private readonly SemaphoreSlim _steps = new(0);

    private SemaphoreSlim Steps(int count)
    {
        if (count > 0)
        {
            _steps.Release(count);
        }

        return _steps;
    }

    private static LlavaEngine Engine(ScriptedRunner runner, EngineOptions? options = null) =>
        new(Requests.Config(), options ?? new EngineOptions(), _ => runner, TimeProvider.System);

    private static void ThrowIf(bool now)
    {
        if (now)
        {
            throw new InvalidOperationException("Broken on purpose.");
        }
    }

    /// <summary>A clock whose only timer goes off when the test says so.</summary>
    private sealed class ManualTimer : TimeProvider
    {
        private Action? _fire;

        public void Fire() => _fire!();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _fire = () => callback(state);
            return base.CreateTimer(_ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    private sealed class ClockThatFailsOnce : TimeProvider
    {
        private int _fails;

        public void Fail() => _fails = 1;

        public override long GetTimestamp() =>
            Interlocked.Exchange(ref _fails, 0) == 1 ? throw new InvalidOperationException("The clock is broken on purpose.") : base.GetTimestamp();
    }
}
