namespace Llava.ModelCore.Engine;

/// <summary>Positions of the KV arena that belong together.</summary>
/// <param name="Start">First position, a multiple of <see cref="ExtentAllocator.Granularity"/>.</param>
/// <param name="Count">Positions, a multiple of <see cref="ExtentAllocator.Granularity"/>.</param>
internal readonly record struct Extent(int Start, int Count)
{
    /// <summary>The position after the last.</summary>
    public int End => Start + Count;
}

/// <summary>First-fit allocation of contiguous extents; neighbours that become free are joined.</summary>
/// <param name="capacity">Positions in the arena; what does not fill a granule is not used.</param>
internal sealed class ExtentAllocator(int capacity)
{
    /// <summary>
    /// Extents start at multiples of this many positions, which puts every key and value of the arena on a 64-byte boundary
    /// whatever the head size: where a sequence lies then cannot change how a vectorised product sums it.
    /// </summary>
    public const int Granularity = 16;

    // By start; never empty, never adjacent.
    private readonly List<Extent> _free = capacity >= Granularity ? [new Extent(0, capacity / Granularity * Granularity)] : [];

    /// <summary>Positions that can be allocated in all.</summary>
    public int Capacity { get; } = capacity / Granularity * Granularity;

    /// <summary>Positions allocated now.</summary>
    public int Used { get; private set; }

    /// <summary>Positions an extent for so many really takes.</summary>
    public static int Rounded(int positions) => checked(positions + Granularity - 1) / Granularity * Granularity;

    /// <summary>The first gap that is large enough; null when there is none.</summary>
    public Extent? TryAllocate(int positions)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(positions);
        var count = Rounded(positions);
        var i = _free.FindIndex(gap => gap.Count >= count);
        if (i < 0)
        {
            return null;
        }

        var extent = new Extent(_free[i].Start, count);
        if (_free[i].Count == count)
        {
            _free.RemoveAt(i);
        }
        else
        {
            _free[i] = new Extent(extent.End, _free[i].Count - count);
        }

        Used += count;
        return extent;
    }

    /// <summary>Gives an extent back.</summary>
    /// <exception cref="InvalidOperationException">Part of it is free already.</exception>
    public void Free(Extent extent)
    {
        var next = _free.FindIndex(gap => gap.Start >= extent.Start);
        next = next < 0 ? _free.Count : next;
        var (joinsNext, joinsPrevious) = (false, false);
        if (next < _free.Count)
        {
            ThrowIfOverlapping(extent.End > _free[next].Start, extent);
            joinsNext = extent.End == _free[next].Start;
        }

        if (next > 0)
        {
            ThrowIfOverlapping(_free[next - 1].End > extent.Start, extent);
            joinsPrevious = _free[next - 1].End == extent.Start;
        }

        var start = joinsPrevious ? _free[next - 1].Start : extent.Start;
        var end = joinsNext ? _free[next].End : extent.End;
        var first = joinsPrevious ? next - 1 : next;
        _free.RemoveRange(first, (joinsPrevious ? 1 : 0) + (joinsNext ? 1 : 0));
        _free.Insert(first, new Extent(start, end - start));
        Used -= extent.Count;
    }

    /// <summary>Keeps the extent's first positions and gives the rest back.</summary>
    public Extent Trim(Extent extent, int positions)
    {
        var kept = new Extent(extent.Start, Rounded(positions));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(kept.Count, extent.Count, nameof(positions));
        if (kept.Count < extent.Count)
        {
            Free(new Extent(kept.End, extent.Count - kept.Count));
        }

        return kept;
    }

    private static void ThrowIfOverlapping(bool overlaps, Extent extent)
    {
        if (overlaps)
        {
            throw new InvalidOperationException($"Positions {extent.Start} to {extent.End - 1} cannot be freed: some of them are free already.");
        }
    }
}
