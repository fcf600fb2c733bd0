using Llava.ModelCore.Engine;

namespace Llava.ModelCore.Tests.Engine;

public sealed class RowBlocksTests
{
    [Fact]
    public void The_smallest_block_that_holds_the_rows_is_taken_and_more_rows_stay_as_they_are()
    {
        var blocks = new RowBlocks([4, 8, 32]);
        Assert.Equal([4, 4, 8, 32, 32, 33], new[] { 1, 4, 5, 9, 32, 33 }.Select(blocks.For));
    }

    [Fact]
    public void A_probe_finds_at_least_one_size_whose_rows_agree()
    {
        using var model = RandomModel.Create(Requests.Config());
        var sizes = RowBlocks.Probe(model.Language).Sizes;
        Assert.NotEmpty(sizes);
        Assert.Equal(sizes.Order(), sizes);
    }
}
