using Llava.ModelCore.Engine;

namespace Llava.ModelCore.Tests.Engine;

public sealed class RowBlocksTests
{
    [Fact]
    public void The_smallest_block_that_holds_the_rows_is_taken_or_the_largest_there_is()
    {
        var blocks = new RowBlocks([4, 8, 32]);
        Assert.Equal([4, 4, 8, 32, 32, 32], new[] { 1, 4, 5, 9, 32, 33 }.Select(blocks.For));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(100)]
    public void Probed_blocks_are_few_for_few_rows_and_never_none(int maxRows)
    {
        using var model = RandomModel.Create(Requests.Config());
        var sizes = RowBlocks.Probe(model.Language, maxRows).Sizes;
        Assert.NotEmpty(sizes);
        Assert.Equal(sizes.Order(), sizes);
        // The first candidate is always tried; no other is more than twice what the slots can fill.
        Assert.True(sizes.All(size => size == 8 || size < 2 * maxRows));
    }
}
