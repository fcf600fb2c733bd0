using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Llava.Scheduler.Sources;

/// <summary>The lines of a text file as bytes, each with the place where reading goes on after it.</summary>
internal static class TextLines
{
    private const int MaxLine = 16 * 1024 * 1024;
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    /// <summary>Reads the lines after <paramref name="position"/>; blank ones are counted and left out.</summary>
    /// <exception cref="SourceException">A line is longer than 16 MiB: this is no text file of lines.</exception>
    public static async IAsyncEnumerable<TextLine> ReadAsync(string path, string? position, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (offset, number) = LinePosition.Parse(position);
        await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: false);
        file.Position = offset;
        var reader = PipeReader.Create(file, new(bufferSize: 128 * 1024, leaveOpen: true));
        while (true)
        {
            var read = await reader.ReadAsync(cancellation);
            var rest = read.Buffer;
            while (TakeLine(ref rest, read.IsCompleted) is { } line)
            {
                number++;
                offset += line.Length;
                var text = Trim(line, isFirst: number == 1);
                if (!text.IsEmpty)
                {
                    yield return new(text, number, new LinePosition(offset, number).ToString());
                }
            }

            if (read.IsCompleted)
            {
                break;
            }

            if (rest.Length > MaxLine)
            {
                throw new SourceException("line_too_long", $"Line {number + 1} of '{path}' is longer than {MaxLine / 1024 / 1024} MiB; give a file with one record per line.");
            }

            reader.AdvanceTo(rest.Start, rest.End);
        }

        await reader.CompleteAsync();
    }

    /// <summary>The next line with its end, or the unended rest of the file.</summary>
    private static ReadOnlySequence<byte>? TakeLine(ref ReadOnlySequence<byte> buffer, bool isLast)
    {
        SequencePosition end;
        if (buffer.PositionOf((byte)'\n') is { } feed)
        {
            end = buffer.GetPosition(1, feed);
        }
        else if (isLast && !buffer.IsEmpty)
        {
            end = buffer.End;
        }
        else
        {
            return null;
        }

        var line = buffer.Slice(0, end);
        buffer = buffer.Slice(end);
        return line;
    }

    private static ReadOnlyMemory<byte> Trim(ReadOnlySequence<byte> line, bool isFirst)
    {
        var bytes = line.IsSingleSegment ? line.First : line.ToArray();
        if (isFirst && bytes.Span.StartsWith(ByteOrderMark))
        {
            bytes = bytes[ByteOrderMark.Length..];
        }

        return bytes.Trim(" \t\r\n"u8);
    }

    /// <summary>Offset of the next byte and number of the last line, as text.</summary>
    private readonly record struct LinePosition(long Offset, int Line)
    {
        public static LinePosition Parse(string? text) => text?.Split(':') is [var offset, var line]
            ? new(long.Parse(offset, CultureInfo.InvariantCulture), int.Parse(line, CultureInfo.InvariantCulture))
            : default;

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Offset}:{Line}");
    }
}

/// <summary>A line that is not blank.</summary>
/// <param name="Bytes">Its text without surrounding blanks; valid until the next line is asked for.</param>
/// <param name="Number">Counted from 1.</param>
/// <param name="Position">Where reading goes on after it.</param>
internal readonly record struct TextLine(ReadOnlyMemory<byte> Bytes, int Number, string Position);
