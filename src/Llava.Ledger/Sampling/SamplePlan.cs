namespace Llava.Ledger.Sampling;

/// <summary>How the chunks of a job are cut so that a sample of its records stands in chunks of its own.</summary>
/// <param name="Kept">Chunks that give records away and keep what is left of them, or its first piece.</param>
/// <param name="Emptied">Numbers of chunks that give all they have.</param>
/// <param name="Rest">Further pieces of what is left.</param>
/// <param name="Sample">The sample.</param>
internal sealed record SamplePlan(IReadOnlyList<SampledChunk> Kept, IReadOnlyList<int> Emptied, IReadOnlyList<SampledChunk> Rest, IReadOnlyList<SampledChunk> Sample)
{
    // A large sample comes in runs: neighbours share images and keep a chunk's places busy, as they will in the rest of the job.
    private const int MostRuns = 32;

    /// <summary>Chooses records in all parts of the source, at random within each; the same chunks give the same plan.</summary>
    /// <param name="chunks">The chunks that have work, in the order of their items.</param>
    /// <param name="records">How many records.</param>
    /// <param name="itemsPerRecord">Items that each record gives, from a multiple of that number on.</param>
    /// <returns>Null when the sample would be all there is.</returns>
    public static SamplePlan? Of(IReadOnlyList<SampledChunk> chunks, int records, int itemsPerRecord)
    {
        var all = chunks.Sum(chunk => chunk.Count);
        if ((long)records * itemsPerRecord >= all)
        {
            return null;
        }

        var runs = Choose(chunks, records, itemsPerRecord, all / itemsPerRecord);
        List<SampledChunk> kept = [], rest = [], sample = [];
        List<int> emptied = [];
        foreach (var chunk in chunks)
        {
            var taken = runs.Where(run => run.First < chunk.End && run.End > chunk.First).Select(run => (First: Math.Max(run.First, chunk.First), End: Math.Min(run.End, chunk.End))).ToList();
            if (taken.Count == 0)
            {
                continue;
            }

            var left = Between(chunk, taken).ToList();
            sample.AddRange(taken.Select(run => chunk.Piece(run.First, run.End)));
            rest.AddRange(left.Skip(1));
            kept.AddRange(left.Take(1));
            emptied.AddRange(left.Count == 0 ? [chunk.ChunkNo] : []);
        }

        return new(kept, emptied, rest, sample);
    }

    /// <summary>One run of records in each of equal parts, as runs of items.</summary>
    private static List<(int First, int End)> Choose(IReadOnlyList<SampledChunk> chunks, int records, int itemsPerRecord, int all)
    {
        // Of no secret: whoever submits the same again shall see the same records. The generator of a seed is the same in every version.
        Random random = new(HashCode(all, records));
        var parts = Math.Min(MostRuns, records);
        List<(int First, int End)> runs = [];
        var (open, end) = (0, 0);
        for (var part = 0; part < parts; part++)
        {
            var (from, to) = (Share(all, part, parts), Share(all, part + 1, parts));
            // What did not fit into the part before is made up for.
            open += Share(records, part + 1, parts) - Share(records, part, parts);
            var length = Math.Min(open, to - from);
            open -= length;
            var first = ItemAt(chunks, (from + random.Next(to - from - length + 1)) * itemsPerRecord);
            first = Math.Max(end, first - (first % itemsPerRecord));
            end = first + (length * itemsPerRecord);
            runs.Add((first, end));
        }

        return runs;
    }

    private static int HashCode(int all, int records) => unchecked((all * 31) + records);

    private static int Share(int whole, int part, int parts) => (int)((long)whole * part / parts);

    /// <summary>The item at a place among those that have work.</summary>
    private static int ItemAt(IReadOnlyList<SampledChunk> chunks, int place)
    {
        foreach (var chunk in chunks)
        {
            if (place < chunk.Count)
            {
                return chunk.First + place;
            }

            place -= chunk.Count;
        }

        throw new ArgumentOutOfRangeException(nameof(place));
    }

    private static IEnumerable<SampledChunk> Between(SampledChunk chunk, List<(int First, int End)> taken)
    {
        var first = chunk.First;
        foreach (var run in taken)
        {
            if (run.First > first)
            {
                yield return chunk.Piece(first, run.First);
            }

            first = run.End;
        }

        if (first < chunk.End)
        {
            yield return chunk.Piece(first, chunk.End);
        }
    }
}

/// <summary>A chunk, or a piece of one.</summary>
/// <param name="ChunkNo">Number of the chunk.</param>
/// <param name="First">Its first item.</param>
/// <param name="Count">How many items it has.</param>
/// <param name="Tokens">Tokens predicted for them.</param>
internal sealed record SampledChunk(int ChunkNo, int First, int Count, long Tokens)
{
    public int End => First + Count;

    /// <summary>Some of its items, with their share of the tokens.</summary>
    public SampledChunk Piece(int first, int end) => new(ChunkNo, first, end - first, Tokens * (end - first) / Count);
}
