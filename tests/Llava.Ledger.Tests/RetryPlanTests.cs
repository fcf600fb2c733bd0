using Llava.Ledger.Jobs;

namespace Llava.Ledger.Tests;

public sealed class RetryPlanTests
{
    [Fact]
    public void Items_inside_chunks_open_each_of_them_once()
    {
        var plan = RetryPlan.Of(Items(0, 3, 9), [new(0, 0, 4), new(1, 4, 4), new(2, 8, 4)], longest: 4);

        Assert.Equal([0, 2], plan.Reopened);
        Assert.Empty(plan.New);
    }

    [Fact]
    public void Items_that_stand_in_no_chunk_get_new_ones_of_neighbours_only()
    {
        // What is left of a chunk of ten that was halved: items 5 and 8 to 9.
        var plan = RetryPlan.Of(Items(0, 1, 2, 5, 6, 7), [new(1, 5, 1), new(0, 8, 2)], longest: 2);

        Assert.Equal([1], plan.Reopened);
        Assert.Equal([new(0, 2), new(2, 1), new(6, 2)], plan.New);
    }

    [Fact]
    public void Neighbours_that_ask_different_models_stand_in_different_chunks()
    {
        var plan = RetryPlan.Of([new(0), new(1, "other"), new(2, "other"), new(3)], [], longest: 4);

        Assert.Equal([new(0, 1), new(1, 2, "other"), new(3, 1)], plan.New);
    }

    [Fact]
    public void Any_items_over_any_chunks_are_covered_exactly_once()
    {
        var random = new Random(7);
        for (var round = 0; round < 500; round++)
        {
            var chunks = Chunks(random).ToList();
            var items = Enumerable.Range(0, 60).Where(_ => random.Next(3) == 0).ToList();

            var plan = RetryPlan.Of(Items([.. items]), chunks, longest: 3);

            var open = chunks.Where(chunk => plan.Reopened.Contains(chunk.ChunkNo)).SelectMany(chunk => Enumerable.Range(chunk.First, chunk.Count))
                .Concat(plan.New.SelectMany(run => Enumerable.Range(run.First, run.Count))).ToList();
            Assert.Empty(items.Except(open));
            Assert.Equal(open.Distinct().Count(), open.Count);
            Assert.All(plan.New, run => Assert.InRange(run.Count, 1, 3));
            Assert.Empty(plan.New.SelectMany(run => Enumerable.Range(run.First, run.Count)).Except(items));
        }
    }

    /// <summary>Chunks with gaps between them, numbered in no order.</summary>
    private static IEnumerable<ChunkRange> Chunks(Random random)
    {
        for (int first = random.Next(4), number = 40; first < 60; number--)
        {
            var count = random.Next(1, 6);
            yield return new(number, first, count);
            first += count + random.Next(4);
        }
    }

    private static List<RetriedItem> Items(params int[] numbers) => [.. numbers.Select(number => new RetriedItem(number))];
}
