using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Llava.Scheduler.Sources;

/// <summary>The lines of a text file as bytes, each with the place where reading goes on after it.</summary>
internal static class TextLines
{
    private const int MaxLine = 16 * 1024 * 1024;
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];
    private static readonly byte[] Blanks = [.. " \t\r\n"u8];

    /// <summary>Reads the lines after <paramref name="position"/>; blank ones are counted and left out.</summary>
    /// <exception cref="SourceException">A line is longer than 16 MiB: this is no text file of lines.</exception>
    public static async IAsyncEnumerable<TextRecord> ReadAsync(string path, string? position, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (offset, number) = RecordPosition.Parse(position);
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
                var (text, indent) = Trim(line, isFirst: number == 1);
                var start = offset + indent;
                offset += line.Length;
                if (!text.IsEmpty)
                {
                    yield return new(text, start, number, new RecordPosition(offset, number).ToString());
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

    /// <summary>The line without what surrounds its text, and how many bytes went before it.</summary>
    private static (ReadOnlyMemory<byte> Text, int Indent) Trim(ReadOnlySequence<byte> line, bool isFirst)
    {
        var bytes = line.IsSingleSegment ? line.First : line.ToArray();
        var mark = isFirst && bytes.Span.StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
        var text = bytes[mark..].TrimStart(Blanks);
        return (text.TrimEnd(Blanks), bytes.Length - text.Length);
    }
}
