using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Backlogs;
using Llava.Ledger.Expansion;

namespace Llava.Ledger.Tests;

/// <summary>Jobs whose items ask different models. The same on every database.</summary>
public abstract class MixedModelTests(TestDatabase database) : LedgerFixture(database)
{
    private const string Other = "other";

    [Fact]
    public async Task Each_model_is_handed_the_chunks_that_ask_it()
    {
        var job = await QueueMixedAsync();

        Assert.Equal([0, 2], (await Dispatch.WaitingAsync(job, 10, Model)).Select(chunk => chunk.ChunkNo));
        Assert.Equal([1], (await Dispatch.WaitingAsync(job, 10, Other)).Select(chunk => chunk.ChunkNo));
        Assert.Equal(1, Assert.Single(await Dispatch.JobsAsync(Other, 1)).FirstWaiting);
        Assert.Empty(await Dispatch.JobsAsync("third", 1));

        await PublishAsync(await Dispatch.WaitingAsync(job, 10, Other));

        Assert.Equal((4, (int?)null), (Assert.Single(await Dispatch.JobsAsync(Other, 1)).OutstandingItems, Assert.Single(await Dispatch.JobsAsync(Other, 1)).FirstWaiting));
        Assert.Equal((0, 0), (Assert.Single(await Dispatch.JobsAsync(Model, 1)).OutstandingItems, Assert.Single(await Dispatch.JobsAsync(Model, 1)).FirstWaiting));
    }

    [Fact]
    public async Task Results_tell_which_model_was_asked_and_the_backlog_counts_by_it()
    {
        var job = await QueueMixedAsync();
        Assert.Equal([(Model, 8L), (Other, 4L)], (await Get<BacklogReader>().ReadAsync()).Work.Select(work => (work.Model, work.Items)).OrderByDescending(work => work.Items));
        foreach (var chunk in await Dispatch.WaitingAsync(job, 10))
        {
            await AnswerAsync((await ClaimAsync(job, chunk.ChunkNo))!);
        }

        var record = await Jobs.ReadAsync(job);
        Assert.Equal([Model, Other, Model], (await AllResultsAsync(job)).Select(record.ModelName).Chunk(4).Select(chunk => Assert.Single(chunk.Distinct())));
        Assert.Equal(1, await Ending.AdvanceAsync());
    }

    [Fact]
    public async Task A_chunk_that_is_halved_and_items_that_are_tried_again_still_ask_their_model()
    {
        var job = await QueueMixedAsync();
        while ((await Dispatch.WaitingAsync(job, 1, Other)) is [var chunk])
        {
            await Leases.ReleaseAsync((await ClaimAsync(job, chunk.ChunkNo, chunk.Attempt))!, countAttempt: true, "It broke.");
            await Sweep.SweepAsync();
        }

        Assert.Equal([4, 5, 6, 7], (await AllResultsAsync(job)).Select(result => result.ItemNo));
        Assert.Equal(4, (await Control.RetryAsync(job)).Items);

        Assert.Equal(4, (await Dispatch.WaitingAsync(job, 10, Other)).Sum(chunk => chunk.ItemCount));
        Assert.Equal(8, (await Dispatch.WaitingAsync(job, 10, Model)).Sum(chunk => chunk.ItemCount));
    }

    private async Task<JobId> QueueMixedAsync()
    {
        var (job, _) = await Submission.SubmitAsync(Mixed([Other]));
        Assert.True(await Expansion.AppendAsync(job, 0, [.. Chunks(0, 4, 4), Asking(Other, 4), .. Chunks(8, 4, 4)], "end"));
        Assert.True(await Expansion.FinishAsync(job));
        return job;
    }

    private static JobRequest Mixed(IReadOnlyList<string> models) => Request() with { Source = new() { Kind = SourceKind.OpenAiBatch, Path = "lines.jsonl", Models = models } };

    private static ExpandedChunk Asking(string model, int first)
    {
        var chunk = Assert.Single(Chunks(first, 4, 4));
        return chunk with { Items = [.. chunk.Items.Select(item => item with { Spec = item.Spec with { Model = model } })] };
    }
}

public sealed class SqliteMixedModelTests() : MixedModelTests(new SqliteFile());

public sealed class PostgresMixedModelTests() : MixedModelTests(new PostgresTestDatabase());
