using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Llava.Scheduler.Expansion;

/// <summary>
/// Names seen so far and where each was first. Sixty-four bits of a name's hash stand for it, about 30 bytes a name: among a
/// million different ones, two are taken for the same in one job of thirty-seven million.
/// </summary>
internal sealed class RecordNames
{
    private readonly Dictionary<ulong, int> _first = [];

    /// <summary>Keeps a name; returns the number of the record that had it first, which may be this one.</summary>
    public int Add(string name, int number)
    {
        var key = HashOf(name);
        return _first.TryAdd(key, number) ? number : _first[key];
    }

    /// <summary>The first 64 bits of the name's SHA-256.</summary>
    public static ulong HashOf(string name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }
}
