using System.Collections.Concurrent;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Chunks;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Ledger.Tests;

/// <summary>Two processes on one ledger that do the same at the same moment. The same on every database.</summary>
public abstract class ConcurrencyTests(TestDatabase database) : LedgerFixture(database)
{
    private ServiceProvider _other = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        _other = Open();
    }

    public override async Task DisposeAsync()
    {
        await _other.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task Workers_that_lose_half_of_their_leases_answer_every_item_once()
    {
        const int Items = 600;
        Options.MaxAttempts = _other.GetRequiredService<LedgerOptions>().MaxAttempts = 100; // losing leases is what they do here; none is to be halved
        var job = await QueueJobAsync(Items, chunkItems: 4);
        ConcurrentBag<(int Item, string Text)> acknowledged = [];

        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(() => WorkAsync(worker))));

        var results = await AllResultsAsync(job);
        Assert.Equal(Enumerable.Range(0, Items), results.Select(result => result.ItemNo));
        Assert.Equal(acknowledged.Order(), results.Select(result => (result.ItemNo, result.Result.Text!)).Order());

        async Task WorkAsync(int worker)
        {
            var process = worker % 2 == 0 ? Services : _other;
            var (leases, writer, dispatch) = (process.GetRequiredService<ChunkLeases>(), process.GetRequiredService<ResultWriter>(), process.GetRequiredService<ChunkDispatch>());
            for (var round = 0; await dispatch.WaitingAsync(job, 1000) is { Count: > 0 } waiting; round++)
            {
                // Everyone is offered the same chunks and starts elsewhere among them.
                var chunk = waiting[(worker + (round * 7)) % waiting.Count];
                if (await leases.ClaimAsync(job, chunk.ChunkNo, chunk.Attempt, $"w{worker}") is not { } claimed)
                {
                    continue;
                }

                if ((worker + round) % 2 == 0)
                {
                    Clock.Advance(Options.Lease + TimeSpan.FromMilliseconds(1)); // everybody's leases end
                    await process.GetRequiredService<LeaseSweep>().SweepAsync();
                }

                var text = $"{worker}.{round}";
                if (await writer.CommitAsync(claimed.Lease, [.. claimed.Items.Select(item => Answer(item.ItemNo, text))], completesChunk: true))
                {
                    foreach (var item in claimed.Items)
                    {
                        acknowledged.Add((item.ItemNo, text));
                    }
                }
            }
        }
    }

    [Fact]
    public async Task Sweeps_at_the_same_moment_halve_each_chunk_once()
    {
        var jobs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => QueueJobAsync(items: 64, chunkItems: 8)));
        foreach (var job in jobs)
        {
            for (var attempt = 0; attempt < Options.MaxAttempts; attempt++)
            {
                foreach (var chunk in await Dispatch.WaitingAsync(job, 100))
                {
                    await Leases.ReleaseAsync((await ClaimAsync(job, chunk.ChunkNo, attempt))!, countAttempt: true);
                }
            }
        }

        var reports = await Task.WhenAll(BothProcesses<LeaseSweep>(4).Select(sweep => Task.Run(() => sweep.SweepAsync())));

        Assert.Equal(4 * 8, reports.Sum(report => report.Halved));
        foreach (var job in jobs)
        {
            var chunks = await Dispatch.WaitingAsync(job, 100);
            Assert.Equal(Enumerable.Range(0, 16), chunks.Select(chunk => chunk.ChunkNo));
            Assert.All(chunks, chunk => Assert.Equal(4, chunk.ItemCount));
        }
    }

    [Fact]
    public async Task Processes_that_expand_one_job_at_the_same_moment_take_each_item_in_once()
    {
        const int Batches = 12;
        var (job, _) = await Submission.SubmitAsync(Request());
        var appended = 0;

        await Task.WhenAll(BothProcesses<Expansion.JobExpansion>(4).Select(expansion => Task.Run(async () =>
        {
            // As the expander does: go on where the ledger says, stop when another was first, and look again.
            while ((await Jobs.ReadAsync(job)) is { IsBeingRead: true } record)
            {
                if (record.ItemCount == 8 * Batches)
                {
                    await expansion.FinishAsync(job);
                }
                else if (await expansion.AppendAsync(job, record.ItemCount, Chunks(record.ItemCount, 8, 4), $"{record.ItemCount + 8}"))
                {
                    Interlocked.Increment(ref appended);
                }
            }
        })));

        Assert.Equal(Batches, appended);
        var chunks = await Dispatch.WaitingAsync(job, 100);
        Assert.Equal(Enumerable.Range(0, 2 * Batches), chunks.Select(chunk => chunk.ChunkNo));
        var items = await Task.WhenAll(chunks.Select(async chunk => (await Leases.ClaimAsync(job, chunk.ChunkNo, 0, "w"))!.Items));
        Assert.Equal(Enumerable.Range(0, 8 * Batches).Select(item => $"item-{item}"), items.SelectMany(list => list).OrderBy(item => item.ItemNo).Select(item => item.CustomId));
    }

    [Fact]
    public async Task A_job_that_is_ended_by_all_at_once_ends_once_and_is_announced_once()
    {
        var cancelled = await QueueJobAsync(items: 40);
        var expired = await QueueJobAsync(items: 40, change: request => request with { CompletionWindow = TimeSpan.FromMinutes(1) });
        var done = await QueueJobAsync(items: 4);
        await AnswerAsync((await ClaimAsync(done, 0))!);
        await Control.CancelAsync(cancelled);
        Clock.Advance(TimeSpan.FromMinutes(1));
        ConcurrentBag<JobId> announced = [];

        await Task.WhenAll(BothProcesses<JobEnding>(4).Select(ending => Task.Run(async () =>
        {
            await ending.AdvanceAsync();
            foreach (var job in await ending.UnannouncedAsync())
            {
                await ending.AnnounceAsync(job, _ =>
                {
                    announced.Add(job.Job.Id);
                    return Task.CompletedTask;
                });
            }
        })));

        Assert.Equal(new[] { cancelled, expired, done }.Order(), announced.Order());
        Assert.Equal((JobState.Cancelled, 40L), ((await Jobs.ReadAsync(cancelled)).State, (await Jobs.ProgressAsync(cancelled)).Cancelled));
        Assert.Equal((JobState.Expired, 40L), ((await Jobs.ReadAsync(expired)).State, (await Jobs.ProgressAsync(expired)).Expired));
        Assert.Equal((JobState.Completed, 4L), ((await Jobs.ReadAsync(done)).State, (await Jobs.ProgressAsync(done)).Succeeded));
    }

    [Fact]
    public async Task A_job_that_is_cancelled_while_others_work_on_it_has_one_result_for_each_item()
    {
        var job = await QueueJobAsync(items: 200);
        var chunks = await Dispatch.WaitingAsync(job, 100);
        var working = BothProcesses<ChunkLeases>(4).Select((leases, worker) => Task.Run(async () =>
        {
            var kept = 0;
            foreach (var chunk in chunks.Where(chunk => chunk.ChunkNo % 4 == worker))
            {
                if (await leases.ClaimAsync(job, chunk.ChunkNo, 0, $"w{worker}") is { } claimed
                    && await Writer.CommitAsync(claimed.Lease, [.. claimed.Items.Select(item => Answer(item.ItemNo))], completesChunk: true))
                {
                    kept += claimed.Items.Count;
                }
            }

            return kept;
        })).ToList();

        await Control.CancelAsync(job);
        var answered = (await Task.WhenAll(working)).Sum();
        await Ending.AdvanceAsync();

        var progress = await Jobs.ProgressAsync(job);
        Assert.Equal(JobState.Cancelled, (await Jobs.ReadAsync(job)).State);
        Assert.Equal((answered, 200 - answered), (progress.Succeeded, progress.Cancelled));
    }

    protected IEnumerable<T> BothProcesses<T>(int count)
        where T : notnull => Enumerable.Range(0, count).Select(i => (i % 2 == 0 ? Services : _other).GetRequiredService<T>());
}

public sealed class SqliteConcurrencyTests() : ConcurrencyTests(new SqliteFile());

public sealed class PostgresConcurrencyTests() : ConcurrencyTests(new PostgresTestDatabase())
{
    [Fact]
    public async Task Schedulers_hand_a_model_out_one_at_a_time()
    {
        var job = await QueueJobAsync(items: 400);
        ConcurrentBag<int> sent = [];

        await Task.WhenAll(BothProcesses<ChunkDispatch>(4).Select(dispatch => Task.Run(async () =>
        {
            for (var rest = true; rest;)
            {
                await dispatch.TryAloneAsync(Model, TimeSpan.FromMinutes(1), async token =>
                {
                    var waiting = await dispatch.WaitingAsync(job, 7, cancellation: token);
                    waiting.ForEach(chunk => sent.Add(chunk.ChunkNo));
                    await dispatch.MarkPublishedAsync(waiting, token);
                    rest = waiting.Count > 0;
                });
            }
        })));

        Assert.Equal(Enumerable.Range(0, 100), sent.Order());
    }

    [Fact]
    public async Task Other_models_and_other_processes_do_not_wait_for_one_that_is_handed_out()
    {
        var (mine, others) = BothProcesses<ChunkDispatch>(2).ToList() is [var first, var second] ? (first, second) : default;
        var (beside, same) = (false, true);

        Assert.True(await mine.TryAloneAsync(Model, TimeSpan.FromMinutes(1), async token =>
        {
            same = await others.TryAloneAsync(Model, TimeSpan.FromMinutes(1), _ => Task.CompletedTask, token);
            beside = await others.TryAloneAsync("another", TimeSpan.FromMinutes(1), _ => Task.CompletedTask, token);
        }));

        Assert.False(same);
        Assert.True(beside);
    }

    [Fact]
    public async Task A_frozen_scheduler_loses_its_turn()
    {
        var (frozen, other) = BothProcesses<ChunkDispatch>(2).ToList() is [var first, var second] ? (first, second) : default;
        TaskCompletionSource thawed = new();

        var turn = Task.Run(() => frozen.TryAloneAsync(Model, TimeSpan.FromMilliseconds(100), _ => thawed.Task));
        while (await other.TryAloneAsync(Model, TimeSpan.FromMinutes(1), _ => Task.CompletedTask)) { }
        while (!await other.TryAloneAsync(Model, TimeSpan.FromMinutes(1), _ => Task.CompletedTask)) { }

        Assert.False(turn.IsCompleted);
        thawed.SetResult();
        Assert.True(await turn);
    }

    [Fact]
    public async Task An_answer_that_the_database_cannot_hold_costs_no_other_its_own()
    {
        var job = await QueueJobAsync(items: 3);
        var lease = (await ClaimAsync(job, 0))!;

        Assert.True(await Writer.CommitAsync(lease, [Answer(0, "a\0b"), Answer(1, "half \uD83D of a cat"), Answer(2, "whole")], completesChunk: true));

        Assert.Equal(["a\uFFFDb", "half \uFFFD of a cat", "whole"], (await AllResultsAsync(job)).Select(result => result.Result.Text));
    }
}
