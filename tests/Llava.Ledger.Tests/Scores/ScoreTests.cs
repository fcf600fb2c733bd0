using Llava.Contracts.Requests;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Scores;

namespace Llava.Ledger.Tests.Scores;

/// <summary>Answers held to the expected ones. The same on every database.</summary>
public abstract class ScoreTests(TestDatabase database) : LedgerFixture(database)
{
    [Fact]
    public async Task Answers_are_right_but_for_case_and_full_stops_and_are_counted_by_category()
    {
        var (job, _) = await Submission.SubmitAsync(Request() with { Expected = "answer" });
        await Expansion.AppendAsync(job, 0, [new([Asked(0, "color", "Red."), Asked(1, "color", "blue"), Asked(2, "count", "3"), Asked(3, "count", "4"), Asked(4, "count", null)], 10)], "end");
        await Expansion.FinishAsync(job);
        Assert.Null((await Jobs.ProgressAsync(job)).Score);
        var lease = (await ClaimAsync(job, 0))!;
        await Writer.CommitAsync(lease, [Answer(0, " red"), Answer(1, "blueish"), Answer(2, "3"), FinishedItem.Failed(3, new("image_unreadable", "why")), Answer(4, "no matter")], completesChunk: true);

        Assert.Equivalent(new JobScore(4, 2, [new("color", 2, 1), new("count", 2, 1)]), (await Jobs.ProgressAsync(job)).Score, strict: true);
        await Ending.AdvanceAsync();
        await Ending.AnnounceAsync(Assert.Single(await Ending.UnannouncedAsync()), _ => Task.CompletedTask);
        Assert.Equal(0.5, (await Jobs.ReadAsync(job)).FinalProgress!.Score!.Share);

        Clock.Advance(TimeSpan.FromDays(2));
        Assert.Equal(1, await Get<JobRetention>().DeleteAsync(TimeSpan.FromDays(1)));
    }

    [Fact]
    public async Task What_was_cancelled_is_not_scored_and_a_job_that_expects_nothing_has_no_score()
    {
        var (job, _) = await Submission.SubmitAsync(Request() with { Expected = "answer" });
        await Expansion.AppendAsync(job, 0, [new([Asked(0, null, "a"), Asked(1, null, "b")], 10)], "end");
        await Expansion.FinishAsync(job);
        await Writer.CommitAsync((await ClaimAsync(job, 0))!, [Answer(0, "a")], completesChunk: false);
        await Control.CancelAsync(job);
        Clock.Advance(TimeSpan.FromHours(1));
        await Sweep.SweepAsync();
        await Ending.AdvanceAsync();
        var plain = await QueueJobAsync(1);
        await AnswerAsync((await ClaimAsync(plain, 0))!);

        Assert.Equivalent(new JobScore(1, 1, []), (await Jobs.ProgressAsync(job)).Score, strict: true);
        Assert.Equal(1, (await Jobs.ProgressAsync(job)).Cancelled);
        Assert.Null((await Jobs.ProgressAsync(plain)).Score);
    }

    private static ExpandedItem Asked(int item, string? category, string? expected) => new(new ItemSpec($"item-{item}", [], "?", category)) { Expected = expected };
}

public sealed class SqliteScoreTests() : ScoreTests(new SqliteFile());

public sealed class PostgresScoreTests() : ScoreTests(new PostgresTestDatabase());
