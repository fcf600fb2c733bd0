using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Llava.Contracts.States;
using Llava.Ledger.Backlogs;
using Llava.Ledger.Chunks;
using Llava.Ledger.Expansion;
using Llava.Ledger.Telemetry;

namespace Llava.Ledger.Tests;

/// <summary>What a ledger counts, and what it says of the work that waits. The same on every database.</summary>
public abstract class TelemetryTests(TestDatabase database) : LedgerFixture(database)
{
    private readonly ConcurrentDictionary<string, long> _counts = [];
    private MeterListener? _listener;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        var meter = Get<LedgerMetrics>().Meter;
        _listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == meter)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        _listener.SetMeasurementEventCallback<long>((instrument, count, tags, _) =>
            _counts.AddOrUpdate(string.Join(' ', [instrument.Name, .. tags.ToArray().Select(tag => tag.Value)]), count, (_, before) => before + count));
        _listener.Start();
    }

    public override async Task DisposeAsync()
    {
        _listener!.Dispose();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task Items_that_no_worker_recorded_are_counted_once_when_they_end()
    {
        var cancelled = await QueueJobAsync(items: 6);
        await AnswerAsync((await ClaimAsync(cancelled, 0))!);
        await Control.CancelAsync(cancelled);
        await QueueJobAsync(items: 3, change: request => request with { CompletionWindow = TimeSpan.FromMinutes(1) });
        Clock.Advance(TimeSpan.FromMinutes(2));
        await Ending.AdvanceAsync();
        await Ending.AdvanceAsync();

        Assert.Equal((2, 3), (_counts["llava.items.finished cancelled"], _counts["llava.items.finished expired"]));
    }

    [Fact]
    public async Task Rejected_items_are_counted_with_their_code_unless_nothing_was_appended()
    {
        var (job, _) = await Submission.SubmitAsync(Request());
        ExpandedChunk chunk = new([Item(0), Item(1) with { Rejection = new("image_missing", "It is gone.") }, Item(2) with { Rejection = new("image_missing", "It is gone.") }], 1);

        Assert.True(await Expansion.AppendAsync(job, 0, [chunk], "3"));
        Assert.False(await Expansion.AppendAsync(job, 0, [chunk], "3"));

        Assert.Equal(2, _counts["llava.items.finished failed image_missing"]);
    }

    [Fact]
    public async Task Sweeps_count_leases_that_ended_halves_and_poison()
    {
        var job = await QueueJobAsync(items: 1);
        for (var attempt = 0; attempt < Options.MaxAttempts; attempt++)
        {
            Assert.NotNull(await ClaimAsync(job, 0, attempt));
            Clock.Advance(Options.Lease + TimeSpan.FromMilliseconds(1));
            await Sweep.SweepAsync();
        }

        Assert.Equal((Options.MaxAttempts, 1, 0), (_counts["llava.chunks.expired"], _counts[$"llava.items.finished failed {LeaseSweep.PoisonCode}"], _counts["llava.chunks.split"]));
    }

    [Fact]
    public async Task The_backlog_is_what_jobs_that_may_run_have_left()
    {
        var first = await QueueJobAsync(items: 10);
        var submitted = Clock.GetUtcNow();
        Clock.Advance(TimeSpan.FromMinutes(1));
        await Control.PauseAsync(await QueueJobAsync(items: 4));
        await QueueJobAsync(items: 8, change: request => request with { Model = "other" });
        await AnswerAsync((await ClaimAsync(first, 0))!);
        await ClaimAsync(first, 1);

        var backlog = await Get<BacklogReader>().ReadAsync();

        Assert.Equal([(JobState.Queued, 1L), (JobState.Running, 1L), (JobState.Paused, 1L)], backlog.Jobs.OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value)));
        Assert.Equal(
            [(Model, ChunkState.Leased, 1, 4), (Model, ChunkState.Open, 1, 2), ("other", ChunkState.Open, 2, 8)],
            backlog.Work.Select(work => (work.Model, work.State, (int)work.Chunks, (int)work.Items)).OrderByDescending(work => work.Model).ThenByDescending(work => work.State));
        Assert.All(backlog.Work.Where(work => work.Model == Model), work => Assert.Equal(submitted, work.OldestJobAt));
    }

    [Fact]
    public async Task A_job_keeps_the_context_of_its_submission_and_none_when_nobody_traces()
    {
        Activity.Current = null;
        var untraced = (await Submission.SubmitAsync(Request())).Id;
        using Activity caller = new("a caller's request");
        caller.Start();
        var traced = (await Submission.SubmitAsync(Request())).Id;
        await RestartAsync();

        Assert.Null((await Jobs.ReadAsync(untraced)).TraceParent);
        Assert.Equal(caller.Id, (await Jobs.ReadAsync(traced)).TraceParent);
        Assert.Equal(caller.Id, (await Jobs.ListAsync(new())).Single(job => job.Id == traced).TraceParent);
        Assert.Equal([traced.ToString()], (await Expansion.WaitingAsync()).Where(job => job.TraceParent is not null).Select(job => job.Id.ToString()));
    }
}

public sealed class SqliteTelemetryTests() : TelemetryTests(new SqliteFile());

public sealed class PostgresTelemetryTests() : TelemetryTests(new PostgresTestDatabase());
