using Llava.ModelCore.Engine;

namespace Llava.ModelCore.Tests.Engine;

public sealed class ExtentAllocatorTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_use_never_overlaps_and_always_joins_again(int seed)
    {
        var random = new Random(seed);
        var capacity = random.Next(200, 5000);
        var allocator = new ExtentAllocator(capacity);
        var owner = new int[capacity];
        Dictionary<int, Extent> held = [];
        for (var i = 1; i <= 5000; i++)
        {
            switch (random.Next(3))
            {
                case 0 when held.Count > 0:
                    Release(held.Keys.ElementAt(random.Next(held.Count)));
                    break;
                case 1 when held.Count > 0:
                    var id = held.Keys.ElementAt(random.Next(held.Count));
                    var trimmed = allocator.Trim(held[id], random.Next(1, held[id].Count + 1));
                    Mark(new Extent(trimmed.End, held[id].End - trimmed.End), id, 0);
                    held[id] = trimmed;
                    break;
                default:
                    if (allocator.TryAllocate(random.Next(1, 300)) is { } extent)
                    {
                        Mark(extent, 0, i);
                        held.Add(i, extent);
                    }

                    break;
            }

            Assert.Equal(owner.Count(o => o != 0), allocator.Used);
        }

        foreach (var id in held.Keys.ToArray())
        {
            Release(id);
        }

        Assert.Equal(0, allocator.Used);
        Assert.Equal(new Extent(0, allocator.Capacity), allocator.TryAllocate(allocator.Capacity));

        void Release(int id)
        {
            allocator.Free(held[id]);
            Mark(held[id], id, 0);
            held.Remove(id);
        }

        void Mark(Extent extent, int before, int after)
        {
            Assert.All(owner.Skip(extent.Start).Take(extent.Count), o => Assert.Equal(before, o));
            owner.AsSpan(extent.Start, extent.Count).Fill(after);
        }
    }

    [Fact]
    public void Extents_start_on_granules_and_hold_what_was_asked()
    {
        var allocator = new ExtentAllocator(1000);
        foreach (var positions in new[] { 1, 15, 16, 17, 100 })
        {
            var extent = allocator.TryAllocate(positions)!.Value;
            Assert.Equal(0, extent.Start % ExtentAllocator.Granularity);
            Assert.InRange(extent.Count, positions, positions + ExtentAllocator.Granularity - 1);
        }
    }

    [Fact]
    public void A_gap_that_is_too_small_is_left_and_the_first_large_enough_is_taken()
    {
        var allocator = new ExtentAllocator(160);
        var first = allocator.TryAllocate(32)!.Value;
        var second = allocator.TryAllocate(16)!.Value;
        allocator.Free(first);

        Assert.Equal(second.End, allocator.TryAllocate(48)!.Value.Start);
        Assert.Equal(0, allocator.TryAllocate(32)!.Value.Start);
        Assert.Null(allocator.TryAllocate(80));
    }

    [Fact]
    public void Freeing_twice_is_an_error()
    {
        var allocator = new ExtentAllocator(160);
        var extent = allocator.TryAllocate(32)!.Value;
        allocator.Free(extent);

        Assert.Throws<InvalidOperationException>(() => allocator.Free(extent));
        Assert.Throws<InvalidOperationException>(() => allocator.Free(new Extent(16, 32)));
    }
}
