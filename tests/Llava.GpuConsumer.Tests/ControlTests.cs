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

/// <summary>Jobs that are cancelled, paused or out of time, and workers that drain, while items run.</summary>
public sealed class ControlTests : IAsyncLifetime
{
    private readonly Pipeline _pipeline = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _pipeline.DisposeAsync();

    [Fact]
    public async Task Cancelling_puts_running_items_down_and_keeps_what_was_answered()
    {
        TaskCompletionSource hanging = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await _pipeline.StartAsync(new ScriptedRunner((item, cancellation) =>
        {
            if (item.ItemNo < 3)
            {
                return ScriptedRunner.Echo(item);
            }

            if (item.ItemNo == 3)
            {
                hanging.TrySetResult(); // its neighbours before it have ended; those of another chunk may be earlier
            }

            return ScriptedRunner.HangAsync(cancellation);
        }));
        var job = await _pipeline.SubmitAsync(100);
        await hanging.Task.WaitAsync(TimeSpan.FromSeconds(60));

        await _pipeline.Control.CancelAsync(job);
        await _pipeline.WaitForAsync(job, JobState.Cancelled);

        var results = await _pipeline.ResultsAsync(job);
        Assert.Equal(100, results.Count);
        Assert.Equal([0, 1, 2], results.Where(result => result.Result.Outcome == ItemOutcome.Succeeded).Select(result => result.ItemNo));
        Assert.Equal(97, results.Count(result => result.Result.Outcome == ItemOutcome.Cancelled));
    }

    [Fact]
    public async Task A_job_out_of_time_keeps_its_answers_and_its_running_items_are_put_down()
    {
        TaskCompletionSource hanging = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource putDown = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await _pipeline.StartAsync(new ScriptedRunner(async (item, cancellation) =>
        {
            if (item.ItemNo < 3)
            {
                return await ScriptedRunner.Echo(item);
            }

            using var stopped = cancellation.Register(() => putDown.TrySetResult());
            hanging.TrySetResult();
            return await ScriptedRunner.HangAsync(cancellation);
        }));
        var job = await _pipeline.SubmitAsync(100, change: request => request with { CompletionWindow = TimeSpan.FromSeconds(40) }); // shorter than a lease: it must be told
        await hanging.Task.WaitAsync(TimeSpan.FromSeconds(60));
        for (var patience = 0; (await _pipeline.ResultsAsync(job)).Count < 3 && patience < 1000; patience++)
        {
            await Task.Delay(20);
        }

        Assert.False((await _pipeline.Jobs.ReadAsync(job)).State.IsFinal());
        _pipeline.Clock.Advance(TimeSpan.FromSeconds(40));
        await _pipeline.WaitForAsync(job, JobState.Expired);

        await putDown.Task.WaitAsync(TimeSpan.FromSeconds(60));
        var results = await _pipeline.ResultsAsync(job);
        Assert.Equal([0, 1, 2], results.Where(result => result.Result.Outcome == ItemOutcome.Succeeded).Select(result => result.ItemNo));
        Assert.Equal(97, results.Count(result => result.Result.Outcome == ItemOutcome.Expired));
    }

    [Fact]
    public async Task How_far_a_running_job_is_is_published()
    {
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await _pipeline.StartAsync(new ScriptedRunner(async (item, cancellation) =>
        {
            if (item.ItemNo >= 8)
            {
                await goOn.Task.WaitAsync(cancellation);
            }

            return await ScriptedRunner.Echo(item);
        }));
        ConcurrentQueue<JobProgressed> heard = [];
        await _pipeline.Get<IBus>().ConnectReceiveEndpoint("progress", endpoint => endpoint.Handler<JobProgressed>(context =>
        {
            heard.Enqueue(context.Message);
            return Task.CompletedTask;
        })).Ready;
        var job = await _pipeline.SubmitAsync(20);

        for (var patience = 0; !heard.Any(message => message.Succeeded == 8) && patience < 1000; patience++)
        {
            _pipeline.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(20);
        }

        Assert.Contains(new JobProgressed(job, 8, 0, 20), heard);
        Assert.Equal(heard.Distinct(), heard);
        goOn.SetResult();
        await _pipeline.WaitForAsync(job, JobState.Completed);
    }

    [Fact]
    public async Task A_paused_job_gives_its_chunks_back_and_goes_on_when_resumed()
    {
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource putDown = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = 0;
        await _pipeline.StartAsync(new ScriptedRunner(async (item, cancellation) =>
        {
            if (putDown.Task.IsCompleted)
            {
                return await ScriptedRunner.Echo(item);
            }

            Interlocked.Increment(ref running);
            begun.TrySetResult();
            try
            {
                // A chunk claimed just before the pause may begin after the others were put down; it goes on with the resumed job.
                await Task.WhenAny(putDown.Task, Task.Delay(Timeout.Infinite, cancellation));
                cancellation.ThrowIfCancellationRequested();
                return await ScriptedRunner.Echo(item);
            }
            finally
            {
                if (Interlocked.Decrement(ref running) == 0)
                {
                    putDown.TrySetResult();
                }
            }
        }));
        var job = await _pipeline.SubmitAsync(50);
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(60));

        await _pipeline.Control.PauseAsync(job);
        await putDown.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Empty(await _pipeline.ResultsAsync(job));
        await _pipeline.Control.ResumeAsync(job);
        await _pipeline.WaitForAsync(job, JobState.Completed);

        await _pipeline.AssertAllAnsweredAsync(job, 50);
        Assert.All(await _pipeline.ResultsAsync(job), result => Assert.Equal(1, result.Attempts));
    }

    [Fact]
    public async Task A_worker_that_drains_gives_back_what_it_cannot_finish_without_counting_an_attempt()
    {
        TaskCompletionSource hanging = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await _pipeline.StartAsync(new ScriptedRunner((_, cancellation) =>
        {
            hanging.TrySetResult();
            return ScriptedRunner.HangAsync(cancellation);
        }));
        var job = await _pipeline.SubmitAsync(20);
        await hanging.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await _pipeline.StopAsync();

        await _pipeline.StartAsync(new ScriptedRunner((item, _) => ScriptedRunner.Echo(item)));
        Assert.DoesNotContain(await _pipeline.Get<WorkerRegistry>().ListAsync(), worker => worker.Draining);
        await _pipeline.WaitForAsync(job, JobState.Completed);

        await _pipeline.AssertAllAnsweredAsync(job, 20);
        Assert.All(await _pipeline.ResultsAsync(job), result => Assert.Equal(1, result.Attempts));
    }
}
