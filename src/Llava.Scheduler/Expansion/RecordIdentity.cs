using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Llava.Contracts.Requests;
using Llava.Scheduler.Sources;

namespace Llava.Scheduler.Expansion;

/// <summary>
/// By what a schedule knows a record again. A file of a folder or a list is its name, size and time of change, so that a changed file is
/// new; a record is its name. Where a format repeats names, or a record has none and so only its place in the file, it is what it says.
/// </summary>
internal static class RecordIdentity
{
    // An odd constant far from any other: the keys of one record's prompts neither follow each other nor meet another's.
    private const ulong PromptStep = 0x9E3779B97F4A7C15;

    /// <summary>Keys of the record's items, one for each prompt of the job.</summary>
    public static long[] KeysOf(SourceItem record, SourceKind kind, int prompts)
    {
        var identity = HashOf(string.Join('\0', Parts(record, kind)));
        return [.. Enumerable.Range(0, prompts).Select(prompt => (long)unchecked(identity + ((ulong)prompt * PromptStep)))];
    }

    private static IEnumerable<string> Parts(SourceItem record, SourceKind kind)
    {
        var name = record.Item.Spec.CustomId;
        return kind switch
        {
            SourceKind.Folder or SourceKind.List => [name, .. Version(record.Item.Spec.Images[0])],
            SourceKind.Questions or SourceKind.Conversations => [name, .. Content(record)],
            // The place says nothing: a line put in at the top moves all others.
            _ when record.Place?.Name == name => ["", .. Content(record)],
            _ => [name],
        };
    }

    /// <summary>Nothing for a file that is gone again: it is refused, and what is refused is not remembered.</summary>
    private static string[] Version(string path) => new FileInfo(path) is { Exists: true } file
        ? [file.Length.ToString(CultureInfo.InvariantCulture), file.LastWriteTimeUtc.Ticks.ToString(CultureInfo.InvariantCulture)]
        : [];

    private static IEnumerable<string> Content(SourceItem record) =>
        [.. record.Item.Spec.Images, record.Item.Spec.Prompt ?? "", .. record.Fields.OrderBy(field => field.Key, StringComparer.Ordinal).SelectMany(field => (string[])[field.Key, field.Value])];

    /// <summary>The first 64 bits of the SHA-256, which stay the same for years.</summary>
    private static ulong HashOf(string identity)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(identity), hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }
}
