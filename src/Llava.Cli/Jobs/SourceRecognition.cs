using System.Text;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;

namespace Llava.Cli.Jobs;

/// <summary>Recognises how a source file is read: by its suffix, and by its first bytes where a suffix has several meanings or none.</summary>
internal static class SourceRecognition
{
    private const int FirstBytes = 4096;
    private const int TarSignature = 257;

    public static SourceKind KindOf(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".csv" or ".tsv" or ".tab" => SourceKind.Table,
        ".parquet" => SourceKind.Parquet,
        ".tar" => SourceKind.WebDataset,
        ".json" => KindOfJson(First(path)),
        ".jsonl" or ".ndjson" => KindOfLines(First(path)),
        _ => KindOf(First(path)),
    };

    private static SourceKind KindOf(ReadOnlySpan<byte> first) =>
        first.StartsWith("PAR1"u8) ? SourceKind.Parquet
        : first.Length > TarSignature && first[TarSignature..].StartsWith("ustar"u8) ? SourceKind.WebDataset
        : StartsWithUrl(first) ? SourceKind.Urls
        : SourceKind.List;

    private static bool StartsWithUrl(ReadOnlySpan<byte> first) => ImageLocation.IsUrl(Encoding.UTF8.GetString(first).TrimStart('\uFEFF', ' ', '\t', '\r', '\n'));

    /// <summary>COCO's document is an object, LLaVA's an array.</summary>
    private static SourceKind KindOfJson(ReadOnlySpan<byte> first) =>
        Encoding.UTF8.GetString(first).TrimStart('\uFEFF', ' ', '\t', '\r', '\n') is ['[', ..] ? SourceKind.Conversations : SourceKind.Coco;

    /// <summary>No other format has both of these in its lines.</summary>
    private static SourceKind KindOfLines(ReadOnlySpan<byte> first)
    {
        var line = Encoding.UTF8.GetString(first).TrimStart('\uFEFF', ' ', '\t', '\r', '\n').Split('\n')[0];
        return line.Contains("\"custom_id\"", StringComparison.Ordinal) && line.Contains("\"body\"", StringComparison.Ordinal) ? SourceKind.OpenAiBatch : SourceKind.Manifest;
    }

    private static byte[] First(string path)
    {
        using var file = File.OpenRead(path);
        var first = new byte[FirstBytes];
        return first[..file.ReadAtLeast(first, FirstBytes, throwOnEndOfStream: false)];
    }
}
