using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Ledger.Tests;

/// <summary>Adding sources to an open job, reading them in, and what that means for its end. The same on every database.</summary>
public abstract class PartTests(TestDatabase database) : LedgerFixture(database)
{
    private JobParts Parts => Get<JobParts>();

    private PartExpansion PartExpansion => Get<PartExpansion>();

    [Fact]
    public async Task A_part_is_found_as_it_was_added_and_the_job_goes_on_as_it_was()
    {
        var job = await QueueOpenAsync();
        SourceDescription source = new() { Kind = SourceKind.Folder, Path = "more", Pattern = "*.jpg", Recursive = false };

        var appended = await Parts.AppendAsync(job, new() { Source = source });
        await RestartAsync();

        Assert.Equal((1, true), (appended.Part.Number, appended.IsNew));
        Assert.Equivalent(appended.Part, Assert.Single(await Parts.ListAsync(job)), strict: true);
        Assert.Equal((source, PartState.Waiting, 0, Clock.GetUtcNow()), (appended.Part.Source, appended.Part.State, appended.Part.ItemCount, appended.Part.CreatedAt));
        var record = await Jobs.ReadAsync(job);
        Assert.Equal((JobState.Queued, true, 4), (record.State, record.IsOpen, record.ItemCount));
    }

    [Fact]
    public async Task The_same_key_finds_the_same_part_even_of_a_closed_job_and_another_source_is_refused()
    {
        var job = await QueueOpenAsync();
        var first = await Parts.AppendAsync(job, Part("more", "k"));
        await Parts.CloseAsync(job);

        var again = await Parts.AppendAsync(job, Part("more", "k"));
        var elsewhere = await Parts.AppendAsync(await QueueOpenAsync(), Part("other", "k"));

        Assert.Equal((first.Part.Number, false), (again.Part.Number, again.IsNew));
        Assert.True(elsewhere.IsNew);
        await Assert.ThrowsAsync<PartConflictException>(() => Parts.AppendAsync(job, Part("other", "k")));
        Assert.Single(await Parts.ListAsync(job));
    }

    [Fact]
    public async Task The_same_key_at_the_same_moment_makes_one_part()
    {
        var job = await QueueOpenAsync();
        await using var other = Open();

        var appended = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => (i % 2 == 0 ? Parts : other.GetRequiredService<JobParts>()).AppendAsync(job, Part("more", "k")))));

        Assert.Equal(1, Assert.Single(appended, part => part.IsNew).Part.Number);
        Assert.Single(await Parts.ListAsync(job));
    }

    [Fact]
    public async Task Parts_that_come_at_the_same_moment_have_numbers_of_their_own()
    {
        var job = await QueueOpenAsync();
        await using var other = Open();

        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => (i % 2 == 0 ? Parts : other.GetRequiredService<JobParts>()).AppendAsync(job, Part($"more-{i}")))));

        var parts = await Parts.ListAsync(job);
        Assert.Equal(Enumerable.Range(1, 16), parts.Select(part => part.Number));
        Assert.Equal(16, parts.Select(part => part.Source.Path).Distinct().Count());
    }

    [Fact]
    public async Task A_request_that_breaks_rules_adds_nothing()
    {
        var job = await QueueOpenAsync();

        var refused = await Assert.ThrowsAsync<InvalidJobRequestException>(() => Parts.AppendAsync(job, new() { Source = new() { Kind = (SourceKind)99, Path = " " }, IdempotencyKey = "" }));

        Assert.Equal(["idempotency_key", "source.kind", "source.path"], refused.Findings.Select(finding => finding.Field).Order());
        Assert.Empty(await Parts.ListAsync(job));
    }

    [Fact]
    public async Task Nothing_is_added_to_a_job_that_is_not_there_not_open_closed_or_cancelled()
    {
        var plain = await QueueJobAsync(items: 4);
        var closed = await QueueOpenAsync();
        await Parts.CloseAsync(closed);
        await Parts.CloseAsync(closed);
        var cancelled = await QueueOpenAsync();
        await Control.CancelAsync(cancelled);

        foreach (var job in (JobId[])[plain, closed, cancelled])
        {
            var refused = await Assert.ThrowsAsync<JobClosedException>(() => Parts.AppendAsync(job, Part("more")));
            Assert.Equal("job_closed", refused.Code);
            Assert.Empty(await Parts.ListAsync(job));
        }

        var missing = JobId.New(Clock.GetUtcNow());
        await Assert.ThrowsAsync<JobNotFoundException>(() => Parts.AppendAsync(missing, Part("more")));
        await Assert.ThrowsAsync<JobNotFoundException>(() => Parts.CloseAsync(missing));
    }

    [Fact]
    public async Task A_job_has_no_more_parts_than_are_allowed()
    {
        var job = await QueueOpenAsync();
        await Database.WriteAsync((session, token) => session.Statement("insert_part")
            .Set("@job", job.Value).Set("@part", JobParts.MostParts - 1).Set("@source", """{"kind":"folder","path":"many"}""").Set("@key", null).Set("@now", 0L).ExecuteAsync(token), default);

        Assert.Equal(JobParts.MostParts, (await Parts.AppendAsync(job, Part("last"))).Part.Number);
        await Assert.ThrowsAsync<TooManyPartsException>(() => Parts.AppendAsync(job, Part("more")));
    }

    [Fact]
    public async Task An_open_job_is_not_over_when_all_is_answered_and_completes_once_it_is_closed()
    {
        var job = await QueueOpenAsync();
        await AnswerAsync((await ClaimAsync(job, 0))!);

        Assert.Equal(0, await Ending.AdvanceAsync());
        await Parts.CloseAsync(job);
        Assert.Equal(1, await Ending.AdvanceAsync());

        Assert.True(await Ending.AnnounceAsync(Assert.Single(await Ending.UnannouncedAsync()), _ => Task.CompletedTask));
        Assert.Equal(JobState.Completed, (await Jobs.ReadAsync(job)).State);
    }

    [Fact]
    public async Task A_closed_job_ends_only_after_its_waiting_parts_and_their_items()
    {
        var job = await QueueOpenAsync();
        await Parts.AppendAsync(job, Part("more"));
        await Parts.AppendAsync(job, Part("none"));
        await Parts.CloseAsync(job);
        await AnswerAsync((await ClaimAsync(job, 0))!);
        Assert.Equal(0, await Ending.AdvanceAsync());

        Assert.True(await PartExpansion.AppendAsync(job, 1, 4, Chunks(4, 6, 4), "end"));
        Assert.True(await PartExpansion.FinishAsync(job, 1));
        await AnswerAsync((await ClaimAsync(job, 1))!);
        await AnswerAsync((await ClaimAsync(job, 2))!);
        Assert.Equal(0, await Ending.AdvanceAsync());
        Assert.True(await PartExpansion.FinishAsync(job, 2));
        Assert.Equal(1, await Ending.AdvanceAsync());

        Assert.Equal(JobState.Finalizing, (await Jobs.ReadAsync(job)).State);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"item-{i}"), (await AllResultsAsync(job)).Select(result => result.CustomId));
        Assert.Equal([(PartState.Done, 6, (int?)4, null), (PartState.Failed, 0, null, "empty_source")], (await Parts.ListAsync(job)).Select(part => (part.State, part.ItemCount, part.FirstItem, part.Failure?.Code)));
    }

    [Fact]
    public async Task Parts_wait_in_their_order_and_only_where_the_job_is_read_and_runs()
    {
        var (validating, _) = await Submission.SubmitAsync(Request() with { Open = true });
        await Parts.AppendAsync(validating, Part("early"));
        var job = await QueueOpenAsync();
        await Parts.AppendAsync(job, Part("a"));
        await Parts.AppendAsync(job, Part("b"));

        Assert.Equal((job, 1), Waiting(Assert.Single(await PartExpansion.WaitingAsync())));
        await Control.PauseAsync(job);
        Assert.Empty(await PartExpansion.WaitingAsync());
        Assert.False(await PartExpansion.AppendAsync(job, 1, 4, Chunks(4, 4, 4), "at 4"));
        await Control.ResumeAsync(job);
        Assert.True(await PartExpansion.AppendAsync(job, 1, 4, Chunks(4, 4, 4), "at 4"));
        await RestartAsync();

        var waiting = Assert.Single(await PartExpansion.WaitingAsync());
        Assert.Equal((8, 1, "at 4", 4, 4), (waiting.Job.ItemCount, waiting.Part.Number, waiting.Part.Position, waiting.Part.FirstItem, waiting.Part.ItemCount));
        Assert.True(await PartExpansion.FinishAsync(job, 1));
        Assert.Equal((job, 2), Waiting(Assert.Single(await PartExpansion.WaitingAsync())));

        static (JobId, int) Waiting(WaitingPart waiting) => (waiting.Job.Id, waiting.Part.Number);
    }

    [Fact]
    public async Task A_part_that_another_went_on_with_or_ended_adds_nothing()
    {
        var job = await QueueOpenAsync();
        await Parts.AppendAsync(job, Part("more"));
        Assert.True(await PartExpansion.AppendAsync(job, 1, 4, Chunks(4, 4, 4), "at 4"));

        Assert.False(await PartExpansion.AppendAsync(job, 1, 4, Chunks(4, 4, 4), "at 4"));
        Assert.True(await PartExpansion.FinishAsync(job, 1));
        Assert.False(await PartExpansion.AppendAsync(job, 1, 8, Chunks(8, 4, 4), "at 8"));
        Assert.False(await PartExpansion.FinishAsync(job, 1));
        Assert.False(await PartExpansion.FailAsync(job, 1, new("late", "late")));

        Assert.Equal((PartState.Done, 8), (Assert.Single(await Parts.ListAsync(job)).State, (await Jobs.ReadAsync(job)).ItemCount));
    }

    [Fact]
    public async Task Two_processes_that_read_the_same_part_add_each_item_once()
    {
        const int Batches = 20;
        var job = await QueueOpenAsync();
        await Parts.AppendAsync(job, Part("more"));
        await using var other = Open();

        await Task.WhenAll(((IServiceProvider[])[Services, other]).Select(process => Task.Run(() => ReadAsync(process.GetRequiredService<PartExpansion>()))));

        Assert.Equal(4 + (Batches * 4), (await Jobs.ReadAsync(job)).ItemCount);
        Assert.Equal(Enumerable.Range(0, 4 + (Batches * 4)).Select(i => (i, $"item-{i}")), await NamesAsync(job, int.MaxValue));

        async Task ReadAsync(PartExpansion expansion)
        {
            while ((await expansion.WaitingAsync()) is [{ Part: var part }])
            {
                // From where the ledger stands, until another was faster.
                var first = 4 + part.ItemCount;
                while (first < 4 + (Batches * 4) && await expansion.AppendAsync(job, 1, first, Chunks(first, 4, 4), $"at {first + 4}"))
                {
                    first += 4;
                }

                if (first == 4 + (Batches * 4))
                {
                    await expansion.FinishAsync(job, 1);
                }
            }
        }
    }

    [Fact]
    public async Task Chunks_of_a_part_and_halves_of_poisoned_ones_never_meet()
    {
        var job = await QueueOpenAsync();
        await Parts.AppendAsync(job, Part("more"));
        for (var attempt = 0; attempt < Options.MaxAttempts; attempt++)
        {
            await ClaimAsync(job, 0, attempt);
            Clock.Advance(Options.Lease + TimeSpan.FromMilliseconds(1));
            if (attempt < Options.MaxAttempts - 1)
            {
                await Sweep.SweepAsync();
            }
        }

        await using var other = Open();
        var sweep = Task.Run(() => other.GetRequiredService<Chunks.LeaseSweep>().SweepAsync());
        for (var first = 4; first < 84; first += 4)
        {
            Assert.True(await PartExpansion.AppendAsync(job, 1, first, Chunks(first, 4, 4), $"at {first}"));
        }

        Assert.Equal(1, (await sweep).Halved);
        var chunks = await Dispatch.WaitingAsync(job, 100);
        Assert.Equal(22, chunks.Select(chunk => chunk.ChunkNo).Distinct().Count());
        Assert.Equal(84, chunks.Sum(chunk => chunk.ItemCount));
    }

    [Fact]
    public async Task A_part_that_fails_leaves_the_job_and_what_was_read_of_it()
    {
        var job = await QueueOpenAsync();
        await Parts.AppendAsync(job, Part("more"));
        await PartExpansion.AppendAsync(job, 1, 4, Chunks(4, 4, 4), "at 4");

        Assert.True(await PartExpansion.FailAsync(job, 1, new("source_unreadable", "The disk is gone.")));

        Assert.Equal((PartState.Failed, new Failure("source_unreadable", "The disk is gone."), 4), Assert.Single((await Parts.ListAsync(job)).Select(part => (part.State, part.Failure!, part.ItemCount))));
        var record = await Jobs.ReadAsync(job);
        Assert.Equal((JobState.Queued, true, null), (record.State, record.IsOpen, record.Failure));
        Assert.NotNull(await ClaimAsync(job, 1));
    }

    [Fact]
    public async Task Cancelling_closes_the_job_and_its_parts()
    {
        var job = await QueueOpenAsync();
        await Parts.AppendAsync(job, Part("more"));
        await PartExpansion.AppendAsync(job, 1, 4, Chunks(4, 4, 4), "at 4");

        await Control.CancelAsync(job);
        Assert.False(await PartExpansion.AppendAsync(job, 1, 8, Chunks(8, 4, 4), "at 8"));
        Assert.Equal(1, await Ending.AdvanceAsync());

        var record = await Jobs.ReadAsync(job);
        Assert.Equal((JobState.Cancelled, false), (record.State, record.IsOpen));
        Assert.Equal(8, (await Jobs.ProgressAsync(job)).Cancelled);
        Assert.Equal((PartState.Failed, "job_cancelled"), Assert.Single((await Parts.ListAsync(job)).Select(part => (part.State, part.Failure!.Code))));
    }

    [Fact]
    public async Task An_open_job_out_of_time_expires_with_its_parts_even_when_all_is_answered()
    {
        var idle = await QueueJobAsync(items: 4, change: request => request with { Open = true, CompletionWindow = TimeSpan.FromHours(1) });
        await AnswerAsync((await ClaimAsync(idle, 0))!);
        var busy = await QueueJobAsync(items: 4, change: request => request with { Open = true, CompletionWindow = TimeSpan.FromHours(1) });
        await Parts.AppendAsync(busy, Part("more"));
        Clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal(2, await Ending.AdvanceAsync());

        Assert.All([await Jobs.ReadAsync(idle), await Jobs.ReadAsync(busy)], record => Assert.Equal((JobState.Expired, false), (record.State, record.IsOpen)));
        Assert.Equal(((4L, 0L), (0L, 4L)), (Counts(await Jobs.ProgressAsync(idle)), Counts(await Jobs.ProgressAsync(busy))));
        Assert.Equal("job_expired", Assert.Single(await Parts.ListAsync(busy)).Failure!.Code);

        static (long, long) Counts(JobProgress progress) => (progress.Succeeded, progress.Expired);
    }

    [Fact]
    public async Task A_job_whose_own_source_fails_is_failed_and_its_parts_with_it()
    {
        var (job, _) = await Submission.SubmitAsync(Request() with { Open = true });
        await Parts.AppendAsync(job, Part("more"));

        await Expansion.FailAsync(job, new("source_unreadable", "The disk is gone."));

        var record = await Jobs.ReadAsync(job);
        Assert.Equal((JobState.Failed, false), (record.State, record.IsOpen));
        Assert.Equal((PartState.Failed, "job_failed"), Assert.Single((await Parts.ListAsync(job)).Select(part => (part.State, part.Failure!.Code))));
    }

    [Fact]
    public async Task Adding_closing_and_ending_at_the_same_moment_loses_no_part_that_was_accepted()
    {
        await using var other = Open();
        for (var round = 0; round < 20; round++)
        {
            var job = await QueueOpenAsync();
            await AnswerAsync((await ClaimAsync(job, 0))!);

            var append = Task.Run(() => TryAppendAsync(other.GetRequiredService<JobParts>(), job));
            var close = Task.Run(() => Parts.CloseAsync(job));
            var end = Task.Run(() => Ending.AdvanceAsync());
            await Task.WhenAll(append, close, end);
            await Ending.AdvanceAsync();

            // Accepted before the close: it waits and holds the end up. Refused: the job is over.
            var state = (await Jobs.ReadAsync(job)).State;
            Assert.Equal(await append ? (JobState.Running, 1) : (JobState.Finalizing, 0), (state, (await Parts.ListAsync(job)).Count));
        }
    }

    [Fact]
    public async Task Names_come_in_the_order_of_the_items_up_to_an_end()
    {
        var job = await QueueJobAsync(items: 9000, chunkItems: 1000);

        Assert.Equal(Enumerable.Range(0, 8500).Select(i => (i, $"item-{i}")), await NamesAsync(job, 8500));
    }

    [Fact]
    public async Task Parts_are_deleted_with_their_job()
    {
        var job = await QueueOpenAsync();
        await Parts.AppendAsync(job, Part("more"));
        await Control.CancelAsync(job);
        await Ending.AdvanceAsync();
        await Ending.AnnounceAsync(Assert.Single(await Ending.UnannouncedAsync()), _ => Task.CompletedTask);
        Clock.Advance(TimeSpan.FromDays(2));

        Assert.Equal(1, await Get<JobRetention>().DeleteAsync(TimeSpan.FromDays(1)));

        Assert.Empty(await Parts.ListAsync(job));
    }

    private static PartRequest Part(string path, string? key = null) => new() { Source = new() { Kind = SourceKind.Folder, Path = path }, IdempotencyKey = key };

    private Task<JobId> QueueOpenAsync() => QueueJobAsync(items: 4, change: request => request with { Open = true });

    private async Task<List<(int, string)>> NamesAsync(JobId job, int end)
    {
        List<(int, string)> names = [];
        await foreach (var name in PartExpansion.NamesAsync(job, end))
        {
            names.Add((name.ItemNo, name.CustomId));
        }

        return names;
    }

    private static async Task<bool> TryAppendAsync(JobParts parts, JobId job)
    {
        try
        {
            await parts.AppendAsync(job, Part("more"));
            return true;
        }
        catch (JobClosedException)
        {
            return false;
        }
    }
}

public sealed class SqlitePartTests() : PartTests(new SqliteFile());

public sealed class PostgresPartTests() : PartTests(new PostgresTestDatabase());
