namespace Llava.Ledger.Jobs;

/// <summary>Which chunks must be open so that every one of some items is worked on again: those it stands in, and new ones where it stands in none.</summary>
/// <param name="Reopened">Numbers of chunks, in order.</param>
/// <param name="New">Runs of consecutive items for new chunks, in order.</param>
internal sealed record RetryPlan(IReadOnlyList<int> Reopened, IReadOnlyList<ItemRun> New)
{
    /// <param name="items">The items, in order.</param>
    /// <param name="chunks">All chunks of the job, in the order of their items. They do not overlap; halving leaves items that have a result to no chunk.</param>
    /// <param name="longest">Most items of a new chunk.</param>
    public static RetryPlan Of(IReadOnlyList<RetriedItem> items, IReadOnlyList<ChunkRange> chunks, int longest)
    {
        SortedSet<int> reopened = [];
        List<ItemRun> added = [];
        var next = 0;
        foreach (var (item, model) in items)
        {
            while (next < chunks.Count && chunks[next].End <= item)
            {
                next++;
            }

            if (next < chunks.Count && chunks[next].First <= item)
            {
                reopened.Add(chunks[next].ChunkNo);
            }
            else if (added is [.., var last] && last.First + last.Count == item && last.Count < longest && last.Model == model)
            {
                added[^1] = last with { Count = last.Count + 1 };
            }
            else
            {
                added.Add(new(item, 1, model));
            }
        }

        return new([.. reopened], added);
    }
}

/// <summary>An item that is tried again, and the model that it asks instead of the job's.</summary>
internal readonly record struct RetriedItem(int ItemNo, string? Model = null);

/// <summary>Items that follow each other and ask the same model.</summary>
internal readonly record struct ItemRun(int First, int Count, string? Model = null);

/// <summary>The items of a chunk.</summary>
internal readonly record struct ChunkRange(int ChunkNo, int First, int Count)
{
    public int End => First + Count;
}
