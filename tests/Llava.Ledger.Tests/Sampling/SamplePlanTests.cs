using Llava.Ledger.Sampling;

namespace Llava.Ledger.Tests.Sampling;

public sealed class SamplePlanTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 1)]
    [InlineData(64, 1)]
    [InlineData(500, 1)]
    [InlineData(20, 10)]
    public void The_sample_and_what_is_left_are_all_items_once(int records, int itemsPerRecord)
    {
        var chunks = Chunks(10_000, 32);

        var plan = SamplePlan.Of(chunks, records, itemsPerRecord)!;

        Assert.Equal(records * itemsPerRecord, plan.Sample.Sum(chunk => chunk.Count));
        var touched = plan.Kept.Select(chunk => chunk.ChunkNo).Concat(plan.Emptied).ToHashSet();
        var after = plan.Sample.Concat(plan.Rest).Concat(plan.Kept).Concat(chunks.Where(chunk => !touched.Contains(chunk.ChunkNo)));
        Assert.Equal(Enumerable.Range(0, 10_000), after.SelectMany(chunk => Enumerable.Range(chunk.First, chunk.Count)).Order());
        Assert.All(plan.Sample.Concat(plan.Rest).Concat(plan.Kept), chunk => Assert.Equal(chunk.Count * 10, chunk.Tokens));
    }

    [Fact]
    public void Every_part_of_the_source_gives_its_share()
    {
        var sample = SamplePlan.Of(Chunks(100_000, 32), 100, 1)!.Sample.SelectMany(chunk => Enumerable.Range(chunk.First, chunk.Count)).ToList();

        Assert.All(Enumerable.Range(0, 10), tenth => Assert.InRange(sample.Count(item => item / 10_000 == tenth), 6, 14));
    }

    [Fact]
    public void The_same_source_gives_the_same_sample_and_another_another()
    {
        Assert.Equal(FirstItems(1000), FirstItems(1000));
        Assert.NotEqual(FirstItems(1000), FirstItems(1001));

        static IEnumerable<int> FirstItems(int items) => SamplePlan.Of(Chunks(items, 32), 20, 1)!.Sample.Select(chunk => chunk.First);
    }

    [Fact]
    public void A_record_comes_with_all_its_prompts()
    {
        // Chunks that end in the middle of a record.
        var sample = SamplePlan.Of(Chunks(3000, 32), 12, 10)!.Sample.SelectMany(chunk => Enumerable.Range(chunk.First, chunk.Count)).ToList();

        Assert.All(sample.GroupBy(item => item / 10), record => Assert.Equal(10, record.Count()));
        Assert.Equal(12, sample.Select(item => item / 10).Distinct().Count());
    }

    [Theory]
    [InlineData(100)]
    [InlineData(101)]
    public void A_sample_of_all_there_is_is_none(int records) => Assert.Null(SamplePlan.Of(Chunks(100, 32), records, 1));

    [Fact]
    public void Nearly_all_of_it_can_be_sampled_and_a_chunk_that_gives_all_it_has_is_emptied()
    {
        var plan = SamplePlan.Of(Chunks(40, 1), 39, 1)!;

        Assert.Equal(39, plan.Sample.Count);
        Assert.Equal(39, plan.Emptied.Count);
        Assert.Empty(plan.Rest);
    }

    private static List<SampledChunk> Chunks(int items, int size) =>
        [.. Enumerable.Range(0, items).Chunk(size).Select((chunk, number) => new SampledChunk(number, chunk[0], chunk.Length, chunk.Length * 10))];
}
