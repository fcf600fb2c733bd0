using System.Collections.Concurrent;
using System.Globalization;
using Llava.Contracts;
using Llava.Contracts.Messages;
using Llava.Contracts.States;
using Llava.GpuConsumer.Chunks;
using Llava.GpuConsumer.Runners;
using Llava.Hosting.Transport;
using Llava.Ledger.Chunks;
using Llava.Ledger.Jobs;
using Llava.Ledger.Workers;
using MassTransit;

namespace Llava.GpuConsumer.Tests;

public sealed class PipelineTests : IAsyncLifetime
{
    private readonly Pipeline _pipeline = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _pipeline.DisposeAsync();

    [Fact]
    public async Task The_steps_of_an_item_follow_on_each_other_from_the_claim_to_the_written_result()
    {
        await _pipeline.StartAsync(new ScriptedRunner((item, _) =>
        {
            _pipeline.Clock.Advance(TimeSpan.FromMilliseconds(50)); // what the model tells took that long
            return ScriptedRunner.Echo(item);
        }));
        var job = await _pipeline.SubmitAsync(20);

        await _pipeline.WaitForAsync(job, JobState.Completed);

        Assert.All(await _pipeline.ResultsAsync(job), result =>
        {
            var timeline = result.Timeline!;
            DateTimeOffset?[] steps = [timeline.QueuedAt, timeline.ClaimedAt, timeline.PreparedAt, timeline.PrefillAt, timeline.FirstTokenAt, timeline.LastTokenAt, timeline.WrittenAt];
            Assert.DoesNotContain(null, steps);
            Assert.Equal(steps.Order(), steps);
            Assert.Equal((2, 3, 4), (timeline.Timings!.Value.QueueMs, timeline.Timings.Value.PrefillMs, timeline.Timings.Value.DecodeMs));
        });
    }

    [Fact]
    public async Task Every_item_of_a_large_job_is_answered_exactly_once_in_order()
    {
        await _pipeline.StartAsync(new NullItemRunnerFactory(), NullItemRunner.ModelName);
        var job = await _pipeline.SubmitAsync(3000, NullItemRunner.ModelName, chunkItems: 32);

        var record = await _pipeline.WaitForAsync(job, JobState.Completed);

        await _pipeline.AssertAllAnsweredAsync(job, 3000);
        Assert.Equal(3000, record.FinalProgress!.Succeeded);
    }

    [Fact]
    public async Task A_job_interrupted_by_a_crash_is_completed_exactly_by_the_next_process()
    {
        const int Items = 400;
        TaskCompletionSource halfway = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var answered = 0;
        ScriptedRunner first = new((item, cancellation) =>
        {
            if (Interlocked.Increment(ref answered) > Items / 2)
            {
                halfway.TrySetResult();
                return ScriptedRunner.HangAsync(cancellation);
            }

            return ScriptedRunner.Echo(item);
        });
        await _pipeline.StartAsync(first);
        var job = await _pipeline.SubmitAsync(Items);
        await halfway.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await _pipeline.CrashAsync();

        _pipeline.Clock.Advance(TimeSpan.FromMinutes(2)); // longer than a lease: nobody renews those of the dead
        ScriptedRunner second = new((item, _) => ScriptedRunner.Echo(item));
        await _pipeline.StartAsync(second);
        await _pipeline.WaitForAsync(job, JobState.Completed);

        await _pipeline.AssertAllAnsweredAsync(job, Items);
        Assert.InRange(second.Asked.Count, Items / 2, Items - 1);
        Assert.All(second.Asked.Values, times => Assert.Equal(1, times));
    }

    [Fact]
    public async Task A_small_job_ends_while_a_large_one_holds_every_place()
    {
        const int ChunkItems = 8;
        TaskCompletionSource isFull = new(TaskCreationOptions.RunContinuationsAsynchronously);
        JobId large = default;
        await _pipeline.StartAsync(new ScriptedRunner((item, cancellation) =>
        {
            if (item.Job != large || item.ItemNo < ChunkQueue.ExpressChunks * ChunkItems)
            {
                return ScriptedRunner.Echo(item);
            }

            isFull.TrySetResult();
            return ScriptedRunner.HangAsync(cancellation);
        }));
        large = await _pipeline.SubmitAsync(4000, chunkItems: ChunkItems);
        await isFull.Task.WaitAsync(TimeSpan.FromSeconds(60));

        var small = await _pipeline.SubmitAsync(ChunkQueue.ExpressChunks * ChunkItems, chunkItems: ChunkItems);

        await _pipeline.WaitForAsync(small, JobState.Completed);
        Assert.Equal(JobState.Running, (await _pipeline.Get<JobReader>().ReadAsync(large)).State);
    }

    [Fact]
    public async Task A_job_interrupted_while_it_expands_is_completed_exactly_by_the_next_process()
    {
        await _pipeline.StartAsync(new ScriptedRunner((item, _) => ScriptedRunner.Echo(item)));
        var job = await _pipeline.SubmitAsync(2000);
        await _pipeline.CrashAsync();

        _pipeline.Clock.Advance(TimeSpan.FromMinutes(2));
        await _pipeline.StartAsync(new ScriptedRunner((item, _) => ScriptedRunner.Echo(item)));
        await _pipeline.WaitForAsync(job, JobState.Completed);

        await _pipeline.AssertAllAnsweredAsync(job, 2000);
    }

    [Fact]
    public async Task An_item_that_cannot_be_answered_fails_and_hurts_no_other()
    {
        await _pipeline.StartAsync(new ScriptedRunner((item, _) => item.ItemNo % 5 == 0
            ? throw new ItemException("unreadable_image", "It is no image.")
            : ScriptedRunner.Echo(item)));
        var job = await _pipeline.SubmitAsync(40);

        var record = await _pipeline.WaitForAsync(job, JobState.Completed);

        Assert.Equal((32, 8), (record.FinalProgress!.Succeeded, record.FinalProgress.Failed));
        Assert.All(await _pipeline.ResultsAsync(job), result => Assert.Equal(result.ItemNo % 5 == 0 ? "unreadable_image" : null, result.Result.Failure?.Code));
    }

    [Fact]
    public async Task An_item_that_always_breaks_the_runner_ends_alone_as_poison()
    {
        ScriptedRunner runner = new((item, _) => item.ItemNo == 5 ? throw new InvalidOperationException("The engine tripped.") : ScriptedRunner.Echo(item));
        await _pipeline.StartAsync(runner);
        var job = await _pipeline.SubmitAsync(16);

        await _pipeline.WaitForAsync(job, JobState.Completed);

        var poison = Assert.Single(await _pipeline.ResultsAsync(job), result => result.Result.Outcome == ItemOutcome.Failed);
        Assert.Equal((5, LeaseSweep.PoisonCode), (poison.ItemNo, poison.Result.Failure?.Code));
        Assert.Contains("The engine tripped.", poison.Result.Failure!.Message, StringComparison.Ordinal);
        Assert.All(runner.Asked.Where(pair => pair.Key != 5), pair => Assert.Equal(1, pair.Value));
    }

    [Fact]
    public async Task A_runner_that_fails_for_a_while_is_tried_again_and_costs_no_attempt()
    {
        var failures = 3;
        await _pipeline.StartAsync(
            new ScriptedRunner((item, _) => Interlocked.Decrement(ref failures) >= 0 ? throw new IOException("The device is busy.") : ScriptedRunner.Echo(item)),
            consumer: options =>
            {
                options.Retries = 5;
                options.FirstPause = options.LongestPause = TimeSpan.FromMilliseconds(1);
            });
        var job = await _pipeline.SubmitAsync(4);

        await _pipeline.WaitForAsync(job, JobState.Completed);

        await _pipeline.AssertAllAnsweredAsync(job, 4);
        Assert.All(await _pipeline.ResultsAsync(job), result => Assert.Equal(1, result.Attempts));
    }

    [Fact]
    public async Task A_lease_that_waits_for_another_try_is_renewed_but_not_for_ever()
    {
        await _pipeline.StartAsync(new ScriptedRunner((item, _) => ScriptedRunner.Echo(item)));
        var job = await _pipeline.SubmitAsync(1, model: "served by nobody");
        await _pipeline.WaitForAsync(job, JobState.Queued);
        var leases = _pipeline.Get<ChunkLeases>();
        var held = _pipeline.Get<LeaseKeeper>().Keep(new((await leases.ClaimAsync(job, 0, 0, "this worker"))!, _pipeline.Clock.GetTimestamp()));
        held.Rest(_pipeline.Clock.GetTimestamp());

        for (var waited = TimeSpan.Zero; waited < leases.Duration; waited += leases.Duration / 8)
        {
            _pipeline.Clock.Advance(leases.Duration / 8);
            await Task.Delay(20);
        }

        Assert.Null(await leases.ClaimAsync(job, 0, 0, "another"));
        ClaimedChunk? claimed = null;
        for (var patience = 0; claimed is null && patience < 1000; patience++)
        {
            _pipeline.Clock.Advance(leases.Duration / 8);
            await Task.Delay(20);
            claimed = await leases.ClaimAsync(job, 0, 0, "another");
        }

        Assert.NotNull(claimed);
    }

    [Fact]
    public async Task Messages_that_come_twice_or_make_no_sense_write_nothing()
    {
        ScriptedRunner runner = new((item, _) => ScriptedRunner.Echo(item));
        await _pipeline.StartAsync(runner);
        var job = await _pipeline.SubmitAsync(64);
        var queue = await _pipeline.Get<IBus>().GetSendEndpoint(ChunkQueue.AddressFor(ScriptedRunner.Name));
        for (var chunk = 0; chunk < 10; chunk++)
        {
            await queue.Send(new RunChunk(job, chunk, ScriptedRunner.Name, 0));
            await queue.Send(new RunChunk(job, chunk, ScriptedRunner.Name, 7));
            await queue.Send(new RunChunk(new JobId(chunk), chunk, ScriptedRunner.Name, 0));
        }

        await _pipeline.WaitForAsync(job, JobState.Completed);

        await _pipeline.AssertAllAnsweredAsync(job, 64);
        Assert.All(runner.Asked.Values, times => Assert.Equal(1, times));
    }
}
