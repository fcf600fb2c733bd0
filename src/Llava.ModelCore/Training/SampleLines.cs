using System.Text.Json;

namespace Llava.ModelCore.Training;

/// <summary>The lines of a data file that samples begin on; only looked for when something is to be said of them.</summary>
internal static class SampleLines
{
    private const int FirstBuffer = 1 << 20;

    /// <summary>Line of each sample, from 1.</summary>
    /// <param name="path">A JSON array of samples, or one sample per line.</param>
    /// <param name="isArray">Which of the two.</param>
    public static IReadOnlyList<int> Of(string path, bool isArray)
    {
        using var stream = File.OpenRead(path);
        var (buffer, filled, state, line) = (new byte[FirstBuffer], 0, new JsonReaderState(new() { AllowMultipleValues = true }), 1);
        List<int> lines = [];
        while (true)
        {
            var read = stream.Read(buffer.AsSpan(filled));
            filled += read;
            var used = Read(buffer.AsSpan(0, filled), isFinal: read == 0, isArray ? 1 : 0, ref state, ref line, lines);
            if (read == 0)
            {
                return lines;
            }

            buffer.AsSpan(used, filled - used).CopyTo(buffer);
            filled -= used;
            if (filled == buffer.Length)
            {
                // A value longer than the buffer.
                Array.Resize(ref buffer, buffer.Length * 2);
            }
        }
    }

    private static int Read(ReadOnlySpan<byte> bytes, bool isFinal, int depth, ref JsonReaderState state, ref int line, List<int> lines)
    {
        Utf8JsonReader reader = new(bytes, isFinal, state);
        var counted = 0;
        try
        {
            while (reader.Read())
            {
                if (reader.CurrentDepth == depth && reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray))
                {
                    var start = (int)reader.TokenStartIndex;
                    line += bytes[counted..start].Count((byte)'\n');
                    counted = start;
                    lines.Add(line);
                }
            }
        }
        catch (JsonException)
        {
            // What cannot be read has been told of by its reader; the lines before it are right.
            return bytes.Length;
        }

        var used = (int)reader.BytesConsumed;
        line += bytes[counted..used].Count((byte)'\n');
        state = reader.CurrentState;
        return used;
    }
}
