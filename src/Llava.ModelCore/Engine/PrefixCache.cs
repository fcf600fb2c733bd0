namespace Llava.ModelCore.Engine;

/// <summary>A prompt prefix whose keys and values lie, or will lie, somewhere in the arena.</summary>
internal sealed class PrefixEntry(string key, Sequence builder)
{
    public string Key { get; } = key;

    /// <summary>The running sequence whose extent begins with the prefix; null once it finished and the entry owns the rest.</summary>
    public Sequence? Builder { get; set; } = builder;

    /// <summary>Where the prefix lies.</summary>
    public Extent Extent { get; set; } = builder.Extent!.Value;

    public int Positions { get; } = builder.Layout.PrefixPositions;

    /// <summary>Whether its keys and values have been computed.</summary>
    public bool IsReady { get; set; }
}

/// <summary>
/// Prefixes by content. While its builder runs, a prefix costs nothing: it is the beginning of the builder's extent. When the
/// builder finishes, that beginning stays behind until it is the least recently used of too many, or until its place is needed.
/// </summary>
internal sealed class PrefixCache(ExtentAllocator allocator, int maxIdle)
{
    private readonly Dictionary<string, PrefixEntry> _entries = [];
    // Least recently used first.
    private readonly List<PrefixEntry> _idle = [];

    /// <summary>Positions held by prefixes that no running sequence owns.</summary>
    public int IdlePositions => _idle.Sum(entry => entry.Extent.Count);

    /// <summary>The prefix a sequence begins with; made, with the sequence as its builder, if nobody has it.</summary>
    public PrefixEntry FindOrBegin(Sequence sequence)
    {
        if (!_entries.TryGetValue(sequence.Layout.PrefixKey!, out var entry))
        {
            entry = new PrefixEntry(sequence.Layout.PrefixKey!, sequence);
            _entries.Add(entry.Key, entry);
        }

        Touch(entry);
        return entry;
    }

    /// <summary>Marks a sequence's prefix as recently used, so that making room for the sequence evicts others first.</summary>
    public void Touch(Sequence sequence)
    {
        if (sequence.Layout.PrefixKey is { } key && _entries.TryGetValue(key, out var entry))
        {
            Touch(entry);
        }
    }

    /// <summary>Gives a leaving sequence's extent back, except for a finished prefix it built.</summary>
    public void Release(Sequence sequence)
    {
        var extent = sequence.Extent!.Value;
        if (sequence.Prefix is not { } entry || entry.Builder != sequence)
        {
            allocator.Free(extent);
            return;
        }

        entry.Builder = null;
        if (!entry.IsReady)
        {
            _entries.Remove(entry.Key);
            allocator.Free(extent);
            return;
        }

        entry.Extent = allocator.Trim(extent, entry.Positions);
        _idle.Add(entry);
        if (_idle.Count > maxIdle)
        {
            TryEvict();
        }
    }

    /// <summary>Drops the least recently used idle prefix; false when there is none.</summary>
    public bool TryEvict()
    {
        if (_idle.Count == 0)
        {
            return false;
        }

        var entry = _idle[0];
        _idle.RemoveAt(0);
        _entries.Remove(entry.Key);
        allocator.Free(entry.Extent);
        return true;
    }

    private void Touch(PrefixEntry entry)
    {
        if (_idle.Remove(entry))
        {
            _idle.Add(entry);
        }
    }
}
