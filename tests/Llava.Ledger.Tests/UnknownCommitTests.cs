using Llava.Contracts.States;
using Llava.Ledger.Chunks;
using Llava.Testing;
using Npgsql;

namespace Llava.Ledger.Tests;

/// <summary>The connection breaks after the database took the commit and before it said so: the write is repeated, and its caller is told the truth.</summary>
public sealed class UnknownCommitTests() : LedgerFixture(new CutDatabase())
{
    private CommitCutter Cutter => ((CutDatabase)TestDatabase).Cutter;

    [Fact]
    public async Task A_submission_is_recorded_once_and_is_new()
    {
        Cutter.Arm();

        var (job, isNew) = await Submission.SubmitAsync(Request());

        Assert.True(isNew);
        Assert.Equal([job], (await Jobs.ListAsync(new())).Select(record => record.Id));
        Assert.Equal(1, Cutter.Cut);
    }

    [Fact]
    public async Task A_submission_with_a_key_is_recorded_once_and_is_new()
    {
        var request = Request() with { IdempotencyKey = "k" };
        Cutter.Arm();

        var first = await Submission.SubmitAsync(request);
        Cutter.Arm();
        var second = await Submission.SubmitAsync(request);

        Assert.Equal((true, false, first.Id), (first.IsNew, second.IsNew, second.Id));
        Assert.Equal(2, Cutter.Cut);
    }

    [Fact]
    public async Task A_part_with_or_without_a_key_is_added_once_and_is_new()
    {
        var job = await QueueJobAsync(items: 4, change: request => request with { Open = true });
        foreach (var key in (string?[])[null, "k"])
        {
            Cutter.Arm();

            Assert.True((await Get<Jobs.JobParts>().AppendAsync(job, new() { Source = new() { Kind = Contracts.Requests.SourceKind.Folder, Path = "more" }, IdempotencyKey = key })).IsNew);
        }

        Assert.Equal([1, 2], (await Get<Jobs.JobParts>().ListAsync(job)).Select(part => part.Number));
        Assert.Equal(2, Cutter.Cut);
    }

    [Fact]
    public async Task A_claim_is_not_lost()
    {
        var job = await QueueJobAsync(items: 4);
        Cutter.Arm();

        var claimed = (await Leases.ClaimAsync(job, 0, 0, "w"))!;

        Assert.Equal(1, Cutter.Cut);
        Assert.Equal((1, 1, 4), (claimed.Lease.Attempt, claimed.Lease.Fence, claimed.Items.Count));
        Assert.Equal(JobState.Running, (await Jobs.ReadAsync(job)).State);
        Assert.True(await AnswerAsync(claimed.Lease));
    }

    [Fact]
    public async Task A_chunk_given_back_leaves_its_attempt_once()
    {
        var job = await QueueJobAsync(items: 4);
        var lease = (await ClaimAsync(job, 0))!;
        Cutter.Arm();

        await Leases.ReleaseAsync(lease, countAttempt: true, "It broke.");

        Assert.Equal(1, Cutter.Cut);
        Assert.Equal(AttemptEnding.Failed, Assert.Single(await Get<AttemptHistory>().OfJobAsync(job)).Ending);
    }

    [Fact]
    public async Task A_claim_that_another_made_is_not_taken_for_ones_own()
    {
        var job = await QueueJobAsync(items: 4);
        await ClaimAsync(job, 0, owner: "other");
        Cutter.Arm();

        Assert.Null(await Leases.ClaimAsync(job, 0, 0, "w"));
        Assert.Equal(1, Cutter.Cut);
    }

    [Fact]
    public async Task Results_that_end_a_chunk_are_known_to_be_recorded()
    {
        var job = await QueueJobAsync(items: 4);
        var lease = (await ClaimAsync(job, 0))!;
        Cutter.Arm();

        Assert.True(await AnswerAsync(lease));

        Assert.Equal(1, Cutter.Cut);
        Assert.Equal(4, (await AllResultsAsync(job)).Count);
    }

    [Fact]
    public async Task Results_that_came_too_late_are_known_not_to_be_recorded()
    {
        var job = await QueueJobAsync(items: 4);
        var lease = (await ClaimAsync(job, 0))!;
        await Leases.ReleaseAsync(lease, countAttempt: false);
        Cutter.Arm();

        Assert.False(await AnswerAsync(lease));

        Assert.Equal(1, Cutter.Cut);
        Assert.Empty(await AllResultsAsync(job));
    }

    [Fact]
    public async Task A_job_is_expanded_to_its_end_and_paused_and_cancelled()
    {
        var (job, _) = await Submission.SubmitAsync(Request());
        Cutter.Arm();

        // The position says where to go on: whoever is told no looks again.
        Assert.False(await Expansion.AppendAsync(job, 0, Chunks(0, 8, 4), "8"));
        Assert.Equal((8, "8"), ((await Jobs.ReadAsync(job)).ItemCount, (await Jobs.ReadAsync(job)).SourcePosition));

        Assert.True(await Expansion.FinishAsync(job));
        Cutter.Arm();
        Assert.Equal(JobState.Paused, await Control.PauseAsync(job));
        Cutter.Arm();
        Assert.Equal(JobState.Cancelling, await Control.CancelAsync(job));
        Assert.Equal(3, Cutter.Cut);
    }

    /// <summary>A database that is reached through the cutter.</summary>
    private sealed class CutDatabase : TestDatabase
    {
        private readonly PostgresTestDatabase _database = new();
        private CommitCutter? _cutter;

        public CommitCutter Cutter => _cutter!;

        public override async Task CreateAsync()
        {
            await _database.CreateAsync();
            _cutter = new(new NpgsqlConnectionStringBuilder(_database.Location).Port);
        }

        public override void Configure(LedgerOptions options) =>
            options.Location = new NpgsqlConnectionStringBuilder(_database.Location) { Port = Cutter.Port }.ConnectionString;

        public override async Task DropAsync()
        {
            await Cutter.DisposeAsync();
            await _database.DropAsync();
        }
    }
}
