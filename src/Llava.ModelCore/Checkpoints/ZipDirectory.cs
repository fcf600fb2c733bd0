using System.Buffers.Binary;
using System.Text;

namespace Llava.ModelCore.Checkpoints;

/// <summary>
/// Where the uncompressed entries of a zip archive lie, from its central directory (PKWARE APPNOTE 4.3.12, 4.3.14 to 4.3.16).
/// torch stores its entries, so their bytes can be used in place; a compressed or encrypted entry is refused.
/// </summary>
internal static class ZipDirectory
{
    private const uint EndSignature = 0x06054b50;
    private const uint Zip64LocatorSignature = 0x07064b50;
    private const uint Zip64EndSignature = 0x06064b50;
    private const uint EntrySignature = 0x02014b50;
    private const uint LocalSignature = 0x04034b50;
    private const int EndBytes = 22;
    private const int MaxDirectoryBytes = 256 * 1024 * 1024;

    /// <summary>Name → offset and length in the file.</summary>
    /// <exception cref="CheckpointException">The archive is truncated, corrupt, compressed or encrypted.</exception>
    public static Dictionary<string, (long Offset, long Length)> Read(MappedFile file)
    {
        var (start, length, count) = Locate(file);
        if (length > MaxDirectoryBytes || start < 0 || length < 0 || start > file.Length - length)
        {
            throw Corrupt(file, "its directory lies outside the file");
        }

        var directory = file.Bytes(start, (int)length);
        var entries = new Dictionary<string, (long, long)>(StringComparer.Ordinal);
        for (var at = 0; at < directory.Length;)
        {
            var (name, range, next) = Entry(file, directory, at);
            if (!entries.TryAdd(name, range))
            {
                throw Corrupt(file, $"it lists '{name}' twice");
            }

            at = next;
        }

        return entries.Count == count ? entries : throw Corrupt(file, $"it announces {count} entries and lists {entries.Count}");
    }

    private static (long Start, long Length, long Count) Locate(MappedFile file)
    {
        var tail = file.Bytes(Math.Max(0, file.Length - EndBytes - ushort.MaxValue), (int)Math.Min(file.Length, EndBytes + ushort.MaxValue));
        for (var at = tail.Length - EndBytes; at >= 0; at--)
        {
            var end = tail.AsSpan(at);
            if (U32(end, 0) != EndSignature || at + EndBytes + U16(end, 20) != tail.Length)
            {
                continue;
            }

            return at >= 20 && U32(tail.AsSpan(at - 20), 0) == Zip64LocatorSignature
                ? LocateZip64(file, I64(tail.AsSpan(at - 20), 8))
                : (U32(end, 16), U32(end, 12), U16(end, 10));
        }

        throw Corrupt(file, "the directory at its end is missing");
    }

    private static (long Start, long Length, long Count) LocateZip64(MappedFile file, long offset)
    {
        var end = file.Bytes(offset, 56);
        return U32(end, 0) == Zip64EndSignature ? (I64(end, 48), I64(end, 40), I64(end, 32)) : throw Corrupt(file, "its 64-bit directory is missing");
    }

    private static (string Name, (long Offset, long Length) Range, int Next) Entry(MappedFile file, byte[] directory, int at)
    {
        var header = directory.AsSpan(at);
        if (header.Length < 46 || U32(header, 0) != EntrySignature || header.Length < 46 + U16(header, 28) + U16(header, 30) + U16(header, 32))
        {
            throw Corrupt(file, $"its directory is damaged at byte {at}");
        }

        var name = Encoding.UTF8.GetString(header.Slice(46, U16(header, 28)));
        if (U16(header, 10) != 0 || (U16(header, 8) & 1) != 0)
        {
            throw new CheckpointException($"'{file.Path}': entry '{name}' is compressed or encrypted; torch archives store their entries as they are. Save the file again with torch.save.");
        }

        var (length, local) = Sizes(file, header, name);
        var fixedPart = file.Bytes(local, 30);
        if (U32(fixedPart, 0) != LocalSignature)
        {
            throw Corrupt(file, $"entry '{name}' has no header of its own");
        }

        // The local header has its own extra field: torch pads with it so that data is aligned.
        var offset = local + 30 + U16(fixedPart, 26) + U16(fixedPart, 28);
        return length >= 0 && offset <= file.Length - length
            ? (name, (offset, length), at + 46 + U16(header, 28) + U16(header, 30) + U16(header, 32))
            : throw Corrupt(file, $"entry '{name}' claims {length} bytes at {offset} of {file.Length}");
    }

    /// <summary>Uncompressed size and local header offset, from the zip64 extra field where the 32-bit fields are full.</summary>
    private static (long Length, long Local) Sizes(MappedFile file, ReadOnlySpan<byte> header, string name)
    {
        long length = U32(header, 24), local = U32(header, 42);
        if (length != uint.MaxValue && local != uint.MaxValue)
        {
            return (length, local);
        }

        var extra = header.Slice(46 + U16(header, 28), U16(header, 30));
        while (extra.Length >= 4 && U16(extra, 0) != 1)
        {
            extra = extra[Math.Min(extra.Length, 4 + U16(extra, 2))..];
        }

        var fields = extra.Length >= 4 ? extra[4..Math.Min(extra.Length, 4 + U16(extra, 2))] : [];
        long Next(ref ReadOnlySpan<byte> from)
        {
            var value = from.Length >= 8 ? I64(from, 0) : throw Corrupt(file, $"entry '{name}' lacks its 64-bit sizes");
            from = from[8..];
            return value;
        }

        length = length == uint.MaxValue ? Next(ref fields) : length;
        _ = U32(header, 20) == uint.MaxValue ? Next(ref fields) : 0;
        return (length, local == uint.MaxValue ? Next(ref fields) : local);
    }

    private static CheckpointException Corrupt(MappedFile file, string why) =>
        new($"'{file.Path}' is a damaged zip archive: {why}. It is truncated or corrupt; fetch it again.");

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long I64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
}
