using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Llava.Scheduler.Sources;

/// <summary>The elements of one array of a JSON file as bytes, one at a time, however long the file is.</summary>
internal sealed class JsonArrayReader : IAsyncDisposable
{
    private const int MaxElement = 16 * 1024 * 1024;
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    private readonly FileStream _file;
    private byte[] _buffer = new byte[128 * 1024];
    private int _start;
    private int _end;
    private bool _isLast;
    private RecordPosition _position;

    private JsonArrayReader(string path, RecordPosition position)
    {
        _file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: false);
        _file.Position = position.Offset;
        _position = position;
    }

    private ReadOnlySpan<byte> Unread => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Reads the elements after <paramref name="position"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="property">The property of the file's object that is the array; null when the file itself is.</param>
    /// <param name="position">Where to go on; null for the front.</param>
    /// <param name="cancellation">Stops reading.</param>
    /// <exception cref="SourceException">There is no such array, or it is broken: nothing after that place can be told apart.</exception>
    public static async IAsyncEnumerable<TextRecord> ReadAsync(string path, string? property, string? position, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using JsonArrayReader reader = new(path, RecordPosition.Parse(position));
        if (position is null)
        {
            await reader.FindAsync(property, cancellation);
        }

        while (await reader.NextAsync(cancellation) is { } element)
        {
            yield return element;
        }
    }

    public ValueTask DisposeAsync() => _file.DisposeAsync();

    /// <summary>Goes behind the array's opening bracket.</summary>
    private async Task FindAsync(string? property, CancellationToken cancellation)
    {
        await FillAsync(cancellation);
        Skip(Unread.StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0);
        JsonReaderState state = default;
        for (var isNext = property is null; !TryFind(property, ref state, ref isNext); await FillAsync(cancellation))
        {
            if (_isLast)
            {
                throw Broken(property is null ? "the file is no array" : $"it has no array '{property}'");
            }
        }
    }

    private bool TryFind(string? property, ref JsonReaderState state, ref bool isNext)
    {
        try
        {
            Utf8JsonReader json = new(Unread, _isLast, state);
            var depth = property is null ? 0 : 1;
            var isFound = false;
            while (!isFound && json.Read())
            {
                isFound = isNext && json.TokenType == JsonTokenType.StartArray && json.CurrentDepth == depth;
                isNext = json.TokenType == JsonTokenType.PropertyName && json.CurrentDepth == depth && json.ValueTextEquals(property);
            }

            state = json.CurrentState;
            Skip((int)json.BytesConsumed);
            return isFound;
        }
        catch (JsonException broken)
        {
            throw Broken(broken.Message, broken);
        }
    }

    /// <summary>The next element, or null behind the last.</summary>
    private async Task<TextRecord?> NextAsync(CancellationToken cancellation)
    {
        var needsComma = _position.Number > 0;
        while (true)
        {
            SkipBlanks(ref needsComma);
            if (Unread is [(byte)']', ..] && (needsComma || _position.Number == 0))
            {
                return null;
            }

            if (!needsComma && !Unread.IsEmpty && LengthOfElement() is { } length)
            {
                var (start, offset) = (_start, _position.Offset);
                Skip(length);
                _position = _position with { Number = _position.Number + 1 };
                return new(_buffer.AsMemory(start, length), offset, _position.Number, _position.ToString());
            }

            if (_isLast || (needsComma && !Unread.IsEmpty))
            {
                throw Broken(Unread.IsEmpty ? "the file ends inside the array" : needsComma ? "a comma was expected" : "it is cut off");
            }

            await FillAsync(cancellation);
        }
    }

    private void SkipBlanks(ref bool needsComma)
    {
        while (Unread is [var next, ..] && (next is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' || (next == (byte)',' && needsComma)))
        {
            needsComma &= next != (byte)',';
            Skip(1);
        }
    }

    /// <summary>Length of the element in front, or null while not all of it has been read.</summary>
    private int? LengthOfElement()
    {
        try
        {
            Utf8JsonReader json = new(Unread, _isLast, default);
            return json.Read() && json.TrySkip() ? (int)json.BytesConsumed : null;
        }
        catch (JsonException broken)
        {
            throw Broken(broken.Message, broken);
        }
    }

    private void Skip(int count)
    {
        _start += count;
        _position = _position with { Offset = _position.Offset + count };
    }

    /// <summary>Reads on, into what has been used up or into more room.</summary>
    private async Task FillAsync(CancellationToken cancellation)
    {
        var unread = _buffer.AsMemory(_start, _end - _start);
        if (unread.Length > MaxElement)
        {
            throw Broken($"it is longer than {MaxElement / 1024 / 1024} MiB");
        }

        var buffer = unread.Length > _buffer.Length / 2 ? new byte[_buffer.Length * 2] : _buffer;
        unread.CopyTo(buffer);
        (_buffer, _start, _end) = (buffer, 0, unread.Length);
        var count = await _file.ReadAsync(buffer.AsMemory(_end), cancellation);
        _end += count;
        _isLast = count == 0;
    }

    private SourceException Broken(string reason, Exception? inner = null) => new(
        "invalid_json",
        $"'{_file.Name}' cannot be read beyond byte {_position.Offset}, after {_position.Number} records: {reason.TrimEnd('.')}. Nothing behind that place can be told apart; repair the file.",
        inner);
}
