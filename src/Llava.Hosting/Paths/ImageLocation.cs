using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Llava.Hosting.Paths;

/// <summary>
/// Where the bytes of an image lie: a file, or a range of one, written <c>shard.tar#1536+20480</c> with offset and length. A range
/// that holds the JSON text of a <c>data:</c> URL stands for the image inside that URL, so that neither archives nor batch files
/// are unpacked or copied.
/// </summary>
/// <param name="Path">The file.</param>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Number of bytes; null for the whole file.</param>
public readonly partial record struct ImageLocation(string Path, long Offset = 0, long? Length = null)
{
    /// <summary>Bytes it takes up.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public long Size => Length ?? new FileInfo(Path).Length;

    /// <summary>Whether its file is there.</summary>
    public bool Exists => File.Exists(Path);

    /// <summary>Whether the reference is an http or https URL, which only the guarded egress may follow; it names no file.</summary>
    public static bool IsUrl(string reference) =>
        reference.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || reference.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads the notation; what does not end in a range is a file.</summary>
    public static ImageLocation Parse(string reference)
    {
        var range = Range().Match(reference);
        return range.Success
            && long.TryParse(range.Groups["offset"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            && long.TryParse(range.Groups["length"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? new(reference[..range.Index], offset, length)
            : new(reference);
    }

    /// <summary>The notation.</summary>
    public override string ToString() => Length is { } length ? string.Create(CultureInfo.InvariantCulture, $"{Path}#{Offset}+{length}") : Path;

    /// <summary>The encoded image.</summary>
    /// <exception cref="IOException">It is not there, ends too early, or holds no longer what the reference was made for.</exception>
    public async Task<byte[]> ReadAsync(CancellationToken cancellation)
    {
        if (Length is not { } length)
        {
            return await File.ReadAllBytesAsync(Path, cancellation);
        }

        await using FileStream file = new(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: false);
        file.Position = Offset;
        var bytes = new byte[length];
        await file.ReadExactlyAsync(bytes, cancellation);
        return bytes.AsSpan().StartsWith("\"data:"u8) ? FromJson(bytes) : bytes;
    }

    private byte[] FromJson(byte[] json)
    {
        try
        {
            return DataUrl.Decode(JsonSerializer.Deserialize<string>(json)!);
        }
        catch (Exception broken) when (broken is JsonException or FormatException)
        {
            throw new IOException($"'{this}' holds no image any more: {broken.Message}", broken);
        }
    }

    [GeneratedRegex(@"#(?<offset>\d+)\+(?<length>\d+)$")]
    private static partial Regex Range();
}
