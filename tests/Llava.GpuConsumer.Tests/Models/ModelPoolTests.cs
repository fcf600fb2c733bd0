using Llava.GpuConsumer.Models;
using Llava.Ledger.Workers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Llava.GpuConsumer.Tests.Models;

public sealed class ModelPoolTests : IAsyncDisposable
{
    private static readonly TimeSpan Turn = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _clock = new();
    private readonly ScriptedModels _models = new ScriptedModels().Add("a", 60).Add("b", 60).Add("c", 30);
    private ModelPool? _pool;

    public async ValueTask DisposeAsync()
    {
        if (_pool is not null)
        {
            await _pool.DisposeAsync();
        }
    }

    [Fact]
    public async Task Models_that_fit_together_stay_in_memory()
    {
        var pool = await PoolAsync(budget: 90, "a", "c");

        (await pool.UseAsync("a")).Dispose();
        (await pool.UseAsync("c")).Dispose();
        (await pool.UseAsync("a")).Dispose();

        Assert.Equal(["+a", "+c"], _models.Log);
    }

    [Fact]
    public async Task The_least_recently_used_idle_model_makes_room()
    {
        _models.Add("d", 30);
        var pool = await PoolAsync(budget: 90, "c", "a", "d");
        (await pool.UseAsync("c")).Dispose();
        _clock.Advance(ModelTurns.Pause);
        (await pool.UseAsync("a")).Dispose();
        _clock.Advance(ModelTurns.Pause);
        (await pool.UseAsync("c")).Dispose();
        _clock.Advance(Turn);

        (await pool.UseAsync("d")).Dispose();

        Assert.Equal(["+c", "+a", "-a", "+d"], _models.Log);
    }

    [Fact]
    public async Task A_busy_model_is_never_unloaded_and_finishes_what_it_has_begun()
    {
        var pool = await PoolAsync(budget: 100, "a", "b");
        var use = await pool.UseAsync("a");
        var other = pool.UseAsync("b");
        _clock.Advance(10 * Turn);
        await SettleAsync(() => _models.Log.Count == 1);
        Assert.False(other.IsCompleted);

        use.Dispose();
        (await other).Dispose();

        Assert.Equal(["+a", "-a", "+b"], _models.Log);
    }

    [Fact]
    public async Task A_model_with_work_keeps_another_waiting_for_its_turn_and_no_longer()
    {
        var pool = await PoolAsync(budget: 100, "a", "b");
        (await pool.UseAsync("a")).Dispose();
        var other = pool.UseAsync("b");
        for (var spent = TimeSpan.Zero; spent < Turn - ModelTurns.Pause; spent += ModelTurns.Pause / 2)
        {
            (await pool.UseAsync("a")).Dispose();
            _clock.Advance(ModelTurns.Pause / 2);
            Assert.False(other.IsCompleted);
        }

        var last = await pool.UseAsync("a");
        _clock.Advance(2 * ModelTurns.Pause);
        var late = pool.UseAsync("a");
        for (; late.IsCompleted; late = pool.UseAsync("a"))
        {
            (await late).Dispose();
            await Task.Delay(1);
        }

        last.Dispose();
        (await other).Dispose();
        await AdvanceAsync(() => late.IsCompleted);
        (await late).Dispose();
        Assert.Equal(["+a", "-a", "+b", "-b", "+a"], _models.Log);
    }

    [Fact]
    public async Task An_idle_model_makes_way_before_its_turn_is_over()
    {
        var pool = await PoolAsync(budget: 100, "a", "b");
        (await pool.UseAsync("a")).Dispose();
        var other = pool.UseAsync("b");

        await SettleAsync(() =>
        {
            _clock.Advance(ModelTurns.Pause / 10);
            return other.IsCompleted;
        });

        Assert.True(_clock.GetUtcNow() - _clock.Start < Turn, "It waited for the turn's end.");
    }

    [Fact]
    public async Task Models_that_alternate_change_once_a_turn_and_neither_waits_for_ever()
    {
        const int Chunks = 200;
        var pool = await PoolAsync(budget: 100, "a", "b");
        var done = 0;

        await Task.WhenAll(((string[])["a", "b", "a", "b"]).Select(async model =>
        {
            for (var chunk = 0; chunk < Chunks; chunk++)
            {
                using var use = await pool.UseAsync(model);
                Assert.Equal(model, use.Runner.Model);
                Interlocked.Increment(ref done);
                _clock.Advance(Turn / 100);
                await Task.Delay(1);
            }
        }).Append(AdvanceAsync(() => done == 4 * Chunks)));

        var turns = (_clock.GetUtcNow() - _clock.Start) / Turn;
        Assert.InRange(_models.Log.Count(line => line[0] == '+'), 4, turns + 3);
    }

    [Fact]
    public async Task What_is_loaded_never_exceeds_the_budget_and_everybody_is_served()
    {
        var sizes = new Dictionary<string, long> { ["m0"] = 50, ["m1"] = 20, ["m2"] = 70, ["m3"] = 35, ["m4"] = 90 };
        foreach (var (name, bytes) in sizes)
        {
            _models.Add(name, bytes);
        }

        _models.Loading = _ =>
        {
            Assert.InRange(_models.InMemory.Keys.Sum(model => sizes[model]), 0, 100);
            return Task.CompletedTask;
        };
        var pool = await PoolAsync(budget: 100, [.. sizes.Keys]);
        var served = 0;

        await Task.WhenAll(Enumerable.Range(0, 12).Select(async seed =>
        {
            Random random = new(seed);
            for (var chunk = 0; chunk < 50; chunk++)
            {
                var model = $"m{random.Next(5)}";
                using var use = await pool.UseAsync(model);
                Assert.True(_models.InMemory.ContainsKey(model));
                Assert.InRange(_models.InMemory.Keys.Sum(name => sizes[name]), 1, 100);
                await Task.Yield();
                Interlocked.Increment(ref served);
            }
        }).Append(AdvanceAsync(() => served == 600)));

        Assert.All(_models.Log, line => Assert.Contains(line[1..], sizes.Keys));
    }

    [Fact]
    public async Task A_model_that_can_never_fit_is_refused_with_both_sizes()
    {
        var refused = await Assert.ThrowsAsync<ModelTooLargeException>(() => PoolAsync(budget: 50_000_000, "c", Large()));

        Assert.Contains("'large' takes 70 MB", refused.Message, StringComparison.Ordinal);
        Assert.Contains("50 MB", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("'c'", refused.Message, StringComparison.Ordinal);

        string Large()
        {
            _models.Add("large", 70_000_000);
            return "large";
        }
    }

    [Fact]
    public async Task A_model_that_cannot_be_loaded_says_why_and_hurts_no_other()
    {
        _models.Loading = model => model == "b" ? throw new IOException("The weights are cut short.") : Task.CompletedTask;
        var pool = await PoolAsync(budget: 100, "a", "b");
        (await pool.UseAsync("a")).Dispose();
        _clock.Advance(Turn);

        var failure = await Assert.ThrowsAsync<ModelUnavailableException>(() => pool.UseAsync("b"));

        Assert.Contains("The weights are cut short.", failure.Message, StringComparison.Ordinal);
        var standing = pool.Standings[1].Served;
        Assert.Equal((ModelState.Failed, "The weights are cut short."), (standing.State, standing.Failure));
        await Assert.ThrowsAsync<ModelUnavailableException>(() => pool.UseAsync("b"));
        (await pool.UseAsync("a")).Dispose();
    }

    [Fact]
    public async Task A_repaired_model_is_loaded_without_a_restart()
    {
        var isBroken = true;
        _models.Describing = model => _ = isBroken && model == "b" ? throw new IOException("There is no config.json.") : 0;
        var pool = await PoolAsync(budget: 200, "a", "b");
        await Assert.ThrowsAsync<ModelUnavailableException>(() => pool.UseAsync("b"));
        await pool.ReviveAsync();
        Assert.Equal(ModelState.Failed, pool.Standings[1].Served.State);

        isBroken = false;
        _clock.Advance(TimeSpan.FromMinutes(1));
        await pool.ReviveAsync();

        using var use = await pool.UseAsync("b");
        Assert.Equal((ModelState.Loaded, null), (pool.Standings[1].Served.State, pool.Standings[1].Served.Failure));
    }

    [Fact]
    public async Task A_model_whose_engine_is_broken_takes_no_more_chunks()
    {
        var pool = await PoolAsync(budget: 100, "a");
        (await pool.UseAsync("a")).Dispose();
        _models.Problems["a"] = "its engine ended.";

        var failure = await Assert.ThrowsAsync<ModelUnavailableException>(() => pool.UseAsync("a"));

        Assert.Contains("its engine ended.", failure.Message, StringComparison.Ordinal);
        Assert.Equal(ModelState.Failed, pool.Standings[0].Served.State);
    }

    [Fact]
    public async Task One_who_gives_up_waiting_leaves_no_use_behind()
    {
        var pool = await PoolAsync(budget: 100, "a", "b");
        var use = await pool.UseAsync("a");
        using CancellationTokenSource patience = new();
        var other = pool.UseAsync("b", patience.Token);

        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => other);
        use.Dispose();
        (await pool.UseAsync("a")).Dispose();
        Assert.Equal(["+a"], _models.Log);
    }

    [Fact]
    public async Task A_closed_pool_lets_nobody_in_and_whoever_has_a_model_keeps_it()
    {
        var pool = await PoolAsync(budget: 100, "a", "b");
        using var use = await pool.UseAsync("a");
        var waiting = pool.UseAsync("b");

        pool.Close();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pool.UseAsync("b"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pool.UseAsync("a"));
        Assert.Equal(ModelState.Loaded, pool.Standings.Single(standing => standing.Served.Name == "a").Served.State);
        Assert.Equal("a", use.Runner.Model);
    }

    [Fact]
    public async Task At_the_start_as_many_are_loaded_as_fit_in_the_order_named()
    {
        var pool = await PoolAsync(budget: 95, "a", "b", "c");

        await pool.PreloadAsync();

        Assert.Equal(["+a", "+c"], _models.Log);
        Assert.Equal([true, false, true], pool.Standings.Select(standing => standing.IsPreloaded));
    }

    /// <summary>The pool's own task has to run: real time, little of it.</summary>
    private static async Task SettleAsync(Func<bool> isThere)
    {
        for (var patience = 0; patience < 3000; patience++)
        {
            await Task.Delay(1);
            if (isThere())
            {
                return;
            }
        }

        Assert.Fail("It never came.");
    }

    private async Task AdvanceAsync(Func<bool> isOver)
    {
        while (!isOver())
        {
            _clock.Advance(ModelTurns.Pause / 4);
            await Task.Delay(1);
        }
    }

    private async Task<ModelPool> PoolAsync(long budget, params string[] names)
    {
        _pool = new ModelPool(_models, new() { Models = names, Turn = Turn }, budget, _clock, NullLogger<ModelPool>.Instance);
        await _pool.MeasureAsync();
        return _pool;
    }
}
