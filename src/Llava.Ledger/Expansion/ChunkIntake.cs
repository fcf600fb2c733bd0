using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Results;
using Llava.Ledger.Schedules;
using Llava.Ledger.Scores;
using Llava.Ledger.Storage;
using Llava.Ledger.Telemetry;

namespace Llava.Ledger.Expansion;

/// <summary>Writes new chunks with their items, and the results of those that can never be worked on.</summary>
internal sealed class ChunkIntake(LedgerDatabase database, LedgerMetrics metrics, TimeProvider time)
{
    /// <summary>Inserts the chunks, inside a write that nobody else gives chunks of the job numbers beside.</summary>
    public async Task InsertAsync(LedgerSession session, JobId job, int firstItem, IReadOnlyList<ExpandedChunk> chunks, CancellationToken cancellation)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var nextChunk = await session.Statement("next_chunk").Set("@job", job.Value).FirstAsync(row => row.GetInt32(0), cancellation);
        List<ItemDraft> items = [];
        List<ChunkDraft> drafts = [];
        List<ResultDraft> rejected = [];
        foreach (var chunk in chunks)
        {
            var first = firstItem + items.Count;
            foreach (var item in chunk.Items)
            {
                var itemNo = firstItem + items.Count;
                items.Add(new(job.Value, itemNo, item.Spec.CustomId, LedgerJson.WriteImages(item.Spec.Images), item.Spec.Prompt, item.Spec.Category, item.Spec.Model, item.Spec.Chat?.Write()));
                if (item.Rejection is { } failure)
                {
                    rejected.Add(new(job.Value, FinishedItem.Failed(itemNo, failure), null, 0, now));
                }
            }

            var state = chunk.Items.All(item => item.Rejection is not null) ? ChunkState.Done : ChunkState.Open;
            drafts.Add(new(job.Value, nextChunk + drafts.Count, first, chunk.Items.Count, chunk.Tokens, state, 0, chunk.Model));
        }

        await database.InsertChunksAsync(session, drafts, cancellation);
        await database.InsertItemsAsync(session, items, cancellation);
        await database.InsertResultsAsync(session, rejected, cancellation);
        await InsertKeysAsync(session, job, firstItem, chunks, cancellation);
        await InsertExpectedAsync(session, job, firstItem, chunks, cancellation);
    }

    /// <summary>Counts the rejected items, once the write is committed.</summary>
    public void CountRejected(IReadOnlyList<ExpandedChunk> chunks)
    {
        foreach (var code in chunks.SelectMany(chunk => chunk.Items).Where(item => item.Rejection is not null).CountBy(item => item.Rejection!.Code))
        {
            metrics.ItemsFinished(code.Value, ItemOutcome.Failed, error: code.Key);
        }
    }

    /// <summary>Notes what the job is asked for its schedule; a rejected item was not asked, and stays new.</summary>
    private async Task InsertKeysAsync(LedgerSession session, JobId job, int firstItem, IReadOnlyList<ExpandedChunk> chunks, CancellationToken cancellation)
    {
        var keyed = chunks.SelectMany(chunk => chunk.Items).Index().Where(item => item.Item is { Key: not null, Rejection: null }).ToList();
        if (keyed.Count > 0 && await ScheduleMemory.OriginAsync(session, job, cancellation) is { } origin)
        {
            await database.InsertKeysAsync(
                session,
                [.. keyed.DistinctBy(item => item.Item.Key).Select(item => new KeyDraft(origin.Schedule, item.Item.Key!.Value, job.Value, firstItem + item.Index))],
                cancellation);
        }
    }

    /// <summary>Keeps the right answers of a job that is scored.</summary>
    private static async Task InsertExpectedAsync(LedgerSession session, JobId job, int firstItem, IReadOnlyList<ExpandedChunk> chunks, CancellationToken cancellation)
    {
        IReadOnlyList<ExpectedAnswer> answers =
        [
            .. chunks.SelectMany(chunk => chunk.Items).Index().Where(item => item.Item.Expected is not null)
                .Select(item => new ExpectedAnswer(firstItem + item.Index, PostgresRows.Storable(item.Item.Expected)!)),
        ];
        if (answers.Count > 0)
        {
            await session.Statement("insert_expected")
                .Set("@job", job.Value)
                .Set("@answers", JsonSerializer.Serialize(answers, LedgerJson.Default.IReadOnlyListExpectedAnswer))
                .ExecuteAsync(cancellation);
        }
    }
}
