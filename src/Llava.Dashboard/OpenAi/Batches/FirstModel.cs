using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;

namespace Llava.Dashboard.OpenAi.Batches;

/// <summary>Looks for the model of a batch in its first lines: a job needs one before its source is read.</summary>
internal static class FirstModel
{
    /// <summary>Stands for the model of a batch whose lines name none, each of which will be refused for that.</summary>
    public const string Unknown = "unknown";

    private const int MostLines = 100;

    private const int MostBytes = 32 * 1024 * 1024;

    /// <summary>The first model that is named; null where the first lines name none.</summary>
    public static async Task<string?> FindAsync(Stream lines, CancellationToken cancellation)
    {
        var reader = PipeReader.Create(lines, new(leaveOpen: true));
        string? model = null;
        var (read, seen, isOver) = (0L, 0, false);
        while (!isOver && model is null)
        {
            var result = await reader.ReadAsync(cancellation);
            var rest = result.Buffer;
            while (model is null && seen < MostLines && TakeLine(ref rest, result.IsCompleted) is { } line)
            {
                seen++;
                read += line.Length;
                model = ModelOf(line);
            }

            isOver = result.IsCompleted || seen == MostLines || read + rest.Length > MostBytes;
            reader.AdvanceTo(rest.Start, rest.End);
        }

        await reader.CompleteAsync();
        return model;
    }

    private static ReadOnlySequence<byte>? TakeLine(ref ReadOnlySequence<byte> buffer, bool isLast)
    {
        var end = buffer.PositionOf((byte)'\n') is { } feed ? buffer.GetPosition(1, feed) : buffer.End;
        if (buffer.IsEmpty || (end.Equals(buffer.End) && !isLast && buffer.PositionOf((byte)'\n') is null))
        {
            return null;
        }

        var line = buffer.Slice(0, end);
        buffer = buffer.Slice(end);
        return line;
    }

    private static string? ModelOf(ReadOnlySequence<byte> line)
    {
        try
        {
            // A mark of the byte order may stand before the first.
            using var json = JsonDocument.Parse(line.FirstSpan.StartsWith("\uFEFF"u8) ? line.Slice(3) : line);
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("body", out var body) && body.ValueKind == JsonValueKind.Object
                && body.TryGetProperty("model", out var model) && model.ValueKind == JsonValueKind.String && model.GetString() is { Length: > 0 and <= 1000 } name && !name.Any(char.IsControl)
                    ? name
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
