using System.Text;

namespace Llava.ModelCore.Tokenization;

/// <summary>
/// Byte-pair merging as SentencePiece does it: of all neighbours that together are a piece, the pair with the highest score is
/// merged first, the leftmost among equals. Characters without a piece become their bytes.
/// </summary>
/// <remarks>Microsoft.ML.Tokenizers 2.0.1 resolves equal scores from the right, which splits runs of spaces differently.</remarks>
internal sealed class SentencePieceBpe
{
    public const char Space = '▁';
    private readonly SentencePieceModel _model;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _mergeable;
    private readonly int[] _byteIds;
    private readonly string[] _userDefined;

    public SentencePieceBpe(SentencePieceModel model)
    {
        _model = model;
        var mergeable = new Dictionary<string, int>(StringComparer.Ordinal);
        _byteIds = new int[256];
        for (var id = 0; id < model.Pieces.Count; id++)
        {
            var piece = model.Pieces[id];
            switch (piece.Kind)
            {
                case SentencePieceKind.Normal or SentencePieceKind.UserDefined: mergeable.TryAdd(piece.Text, id); break;
                case SentencePieceKind.Byte: _byteIds[ByteOf(piece.Text)] = id; break;
            }
        }

        _mergeable = mergeable.GetAlternateLookup<ReadOnlySpan<char>>();
        _userDefined = [.. model.Pieces.Where(piece => piece.Kind == SentencePieceKind.UserDefined).Select(piece => piece.Text).OrderByDescending(text => text.Length)];
    }

    /// <summary>The byte of a piece such as <c>&lt;0x0A&gt;</c>.</summary>
    public static byte ByteOf(string piece) => Convert.ToByte(piece[3..5], 16);

    public void Encode(string text, List<int> ids)
    {
        if (text.Length == 0)
        {
            return;
        }

        var normalized = (_model.AddDummyPrefix ? Space + text : text).Replace(' ', Space);
        var symbols = Split(normalized);
        Merge(normalized, symbols);
        for (var index = 0; index >= 0; index = symbols[index].Next)
        {
            AddIds(normalized.AsSpan(symbols[index].Start, symbols[index].Length), ids);
        }
    }

    // Characters, and pieces the user defined, which are never merged with anything.
    private Symbol[] Split(string text)
    {
        List<Symbol> symbols = new(text.Length);
        for (var start = 0; start < text.Length;)
        {
            var whole = Array.Find(_userDefined, piece => string.CompareOrdinal(text, start, piece, 0, piece.Length) == 0);
            var length = whole?.Length ?? (char.IsSurrogatePair(text, start) ? 2 : 1);
            symbols.Add(new(start, length, symbols.Count - 1, symbols.Count + 1, whole is not null));
            start += length;
        }

        symbols[^1] = symbols[^1] with { Next = -1 };
        return [.. symbols];
    }

    private void Merge(string text, Symbol[] symbols)
    {
        PriorityQueue<Candidate, (float NegatedScore, int Left)> queue = new(symbols.Length);
        for (var left = 0; left + 1 < symbols.Length; left++)
        {
            Propose(text, symbols, queue, left);
        }

        while (queue.TryDequeue(out var candidate, out _))
        {
            var (left, right) = (symbols[candidate.Left], symbols[candidate.Right]);
            if (left.Length == 0 || right.Length == 0 || left.Length + right.Length != candidate.Length)
            {
                continue; // one side was merged elsewhere meanwhile
            }

            symbols[candidate.Left] = left with { Length = candidate.Length, Next = right.Next };
            symbols[candidate.Right] = right with { Length = 0 };
            if (right.Next >= 0)
            {
                symbols[right.Next] = symbols[right.Next] with { Previous = candidate.Left };
                Propose(text, symbols, queue, candidate.Left);
            }

            if (left.Previous >= 0)
            {
                Propose(text, symbols, queue, left.Previous);
            }
        }
    }

    private void Propose(string text, Symbol[] symbols, PriorityQueue<Candidate, (float, int)> queue, int index)
    {
        var left = symbols[index];
        var right = symbols[left.Next];
        var length = left.Length + right.Length;
        if (!left.IsFrozen && !right.IsFrozen && _mergeable.TryGetValue(text.AsSpan(left.Start, length), out var id))
        {
            queue.Enqueue(new(index, left.Next, length), (-_model.Pieces[id].Score, index));
        }
    }

    private void AddIds(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (_mergeable.TryGetValue(piece, out var id))
        {
            ids.Add(id);
            return;
        }

        Span<byte> utf8 = stackalloc byte[4]; // only single characters are without a piece
        foreach (var value in utf8[..Encoding.UTF8.GetBytes(piece, utf8)])
        {
            ids.Add(_byteIds[value]);
        }
    }

    private readonly record struct Symbol(int Start, int Length, int Previous, int Next, bool IsFrozen);

    private readonly record struct Candidate(int Left, int Right, int Length);
}
