using Llava.Contracts.Requests;
using Llava.Ledger.Expansion;
using Llava.Scheduler.Expansion;

namespace Llava.Scheduler.Tests;

public sealed class ChunkPlannerTests
{
    private static readonly JobRequest Request = new()
    {
        Model = "m",
        Prompt = new string('p', 40),
        ChunkItems = 4,
        Generation = new() { MaxNewTokens = 100 },
        Source = new() { Kind = SourceKind.Folder, Path = "x" },
    };

    [Fact]
    public void Items_on_different_images_are_cut_at_the_size() => Assert.Equal([4, 4, 2], Sizes("abcdefghij"));

    [Fact]
    public void Neighbours_on_one_image_stay_together_up_to_twice_the_size()
    {
        Assert.Equal([6, 4], Sizes("abcdddefgh"));
        Assert.Equal([8, 4], Sizes("aaaaaaaaaaaa"));
        Assert.Equal([4, 4, 1], Sizes("aaaabbbbc"));
    }

    [Fact]
    public void Only_what_is_closed_is_offered_for_commit()
    {
        ChunkPlanner planner = new(Request);
        foreach (var image in "abcd")
        {
            Assert.False(planner.Add(Item(image)));
        }

        Assert.Equal(0, planner.FullItems);
        Assert.True(planner.Add(Item('e')));
        Assert.Equal(4, planner.FullItems);
        Assert.Equal([4], planner.TakeFull().Select(chunk => chunk.Items.Count));
        Assert.Equal(0, planner.FullItems);
        Assert.Equal([1], planner.TakeAll().Select(chunk => chunk.Items.Count));
        Assert.Empty(planner.TakeAll());
    }

    [Fact]
    public void Predicted_tokens_count_the_answer_and_what_is_asked_but_no_rejected_item()
    {
        ChunkPlanner planner = new(Request);
        planner.Add(new(new("a", ["a"], new string('q', 20))));
        planner.Add(new(new("b", ["b"])));
        planner.Add(new(new("c", ["c"]), new("invalid_line", "why")));

        Assert.Equal(100 + 5 + 100 + 10, Assert.Single(planner.TakeAll()).Tokens);
    }

    [Fact]
    public void A_chunk_asks_one_model_and_rejected_items_belong_to_any()
    {
        ChunkPlanner planner = new(Request);
        foreach (var model in (string?[])[null, "rejected", null, "other", "rejected", "other", null])
        {
            var item = Item('a');
            planner.Add(model == "rejected" ? item with { Rejection = new("invalid_line", "why") } : item with { Spec = item.Spec with { Model = model } });
        }

        Assert.Equal([3, 3, 1], planner.TakeAll().Select(chunk => chunk.Items.Count));
    }

    private static IEnumerable<int> Sizes(string images)
    {
        ChunkPlanner planner = new(Request);
        foreach (var image in images)
        {
            planner.Add(Item(image));
        }

        return planner.TakeAll().Select(chunk => chunk.Items.Count);
    }

    private static ExpandedItem Item(char image) => new(new("x", [image.ToString()]));
}
