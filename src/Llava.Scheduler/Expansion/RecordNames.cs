using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Llava.Scheduler.Expansion;

/// <summary>
/// Names seen so far and where each was first. Sixty-four bits of a name's hash stand for it, about 30 bytes a name: among a
/// million different ones, two are taken for the same in one job of thirty-seven million. The seed is this object's own, so
/// that nobody can make names that collide.
/// </summary>
internal sealed class RecordNames
{
    private readonly Dictionary<ulong, int> _first = [];
    private readonly long _seed = Random.Shared.NextInt64();

    /// <summary>Keeps a name and returns the number of the one that had it first, which may be this one.</summary>
    /// <param name="name">The name.</param>
    /// <param name="number">Of a record of the source, counted from 1; or of an item of an earlier source, counted from 0, with its sign turned.</param>
    public int Add(string name, int number)
    {
        var key = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(name.AsSpan()), _seed);
        return _first.TryAdd(key, number) ? number : _first[key];
    }
}
