using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Llava.GpuConsumer.Training.Rows;

/// <summary>A row of a file as JSON, or why it is none.</summary>
/// <param name="Line">The row, from 1.</param>
/// <param name="Json">The row; undefined when it is no JSON.</param>
/// <param name="Problem">What is wrong; null when nothing.</param>
internal readonly record struct RowLine(int Line, JsonElement Json, string? Problem);

/// <summary>The rows of a file: one JSON object per line, or one array of them. Only one row at a time is in memory, but of an array all.</summary>
internal static class RowLines
{
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    /// <summary>Reads all rows; blank lines are counted and left out.</summary>
    /// <param name="file">The file, from its first byte on; it can be sought in.</param>
    /// <param name="maxBytes">Longest row.</param>
    /// <param name="cancellation">Gives up.</param>
    public static IAsyncEnumerable<RowLine> ReadAsync(Stream file, int maxBytes, CancellationToken cancellation) =>
        IsArray(file) ? ReadArrayAsync(file, cancellation) : ReadLinesAsync(file, maxBytes, cancellation);

    private static bool IsArray(Stream file)
    {
        int first;
        do
        {
            first = file.ReadByte();
        }
        while (first is ' ' or '\t' or '\r' or '\n' or 0xEF or 0xBB or 0xBF);

        file.Position = 0;
        return first == '[';
    }

    private static async IAsyncEnumerable<RowLine> ReadArrayAsync(Stream file, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var number = 0;
        await using var rows = JsonSerializer.DeserializeAsyncEnumerable<JsonElement>(file, cancellationToken: cancellation).GetAsyncEnumerator(cancellation);
        string? problem = null;
        while (problem is null)
        {
            number++;
            try
            {
                if (!await rows.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (JsonException broken)
            {
                problem = $"the list ends here, because it is no JSON any more: {broken.Message}";
            }

            yield return new(number, problem is null ? rows.Current : default, problem);
        }
    }

    private static async IAsyncEnumerable<RowLine> ReadLinesAsync(Stream file, int maxBytes, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var reader = PipeReader.Create(file, new(bufferSize: 128 * 1024, leaveOpen: true));
        for (var number = 0; ;)
        {
            var read = await reader.ReadAsync(cancellation);
            var rest = read.Buffer;
            while (Take(ref rest, read.IsCompleted) is { } line)
            {
                number++;
                var bytes = line.ToArray();
                var text = number == 1 && bytes.AsSpan().StartsWith(ByteOrderMark) ? bytes.AsMemory(ByteOrderMark.Length) : bytes;
                if (text.Span.ContainsAnyExcept((ReadOnlySpan<byte>)" \t\r\n"u8))
                {
                    yield return bytes.Length > maxBytes ? new(number, default, TooLong(maxBytes)) : Parse(number, text);
                }
            }

            if (read.IsCompleted)
            {
                break;
            }

            if (rest.Length > maxBytes)
            {
                yield return new(number + 1, default, TooLong(maxBytes) + " Reading ends here.");
                break;
            }

            reader.AdvanceTo(rest.Start, rest.End);
        }

        await reader.CompleteAsync();
    }

    private static ReadOnlySequence<byte>? Take(ref ReadOnlySequence<byte> buffer, bool isLast)
    {
        if (buffer.IsEmpty || (buffer.PositionOf((byte)'\n') is null && !isLast))
        {
            return null;
        }

        var end = buffer.PositionOf((byte)'\n') is { } feed ? buffer.GetPosition(1, feed) : buffer.End;
        var line = buffer.Slice(0, end);
        buffer = buffer.Slice(end);
        return line;
    }

    private static RowLine Parse(int number, ReadOnlyMemory<byte> text)
    {
        try
        {
            return new(number, JsonElement.Parse(text.Span), null);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return new(number, default, $"is no JSON: {broken.Message}");
        }
    }

    private static string TooLong(int maxBytes) => FormattableString.Invariant($"is longer than {maxBytes} bytes; give one row per line, and smaller images.");
}
