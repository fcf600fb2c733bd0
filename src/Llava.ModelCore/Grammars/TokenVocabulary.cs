using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Grammars;

/// <summary>The tokens of a model that are text, as the bytes they write.</summary>
internal sealed class TokenVocabulary
{
    private readonly byte[]?[] _bytes;
    private readonly bool _losesFirstSpace;

    private TokenVocabulary(byte[]?[] bytes, bool losesFirstSpace)
    {
        (_bytes, _losesFirstSpace) = (bytes, losesFirstSpace);
        Later = new(Enumerable.Range(0, bytes.Length).Select(id => BytesOf(id, isFirst: false)));
        First = losesFirstSpace ? new(Enumerable.Range(0, bytes.Length).Select(id => BytesOf(id, isFirst: true))) : Later;
        foreach (var only in bytes.Where(text => text is { Length: 1 }))
        {
            Writable[only![0]] = true;
        }
    }

    /// <summary>Ids are below this number.</summary>
    public int Count => _bytes.Length;

    /// <summary>What tokens write at the beginning of an answer.</summary>
    public TokenTrie First { get; }

    /// <summary>What they write behind another token.</summary>
    public TokenTrie Later { get; }

    /// <summary>Whether each byte has a token of its own.</summary>
    public bool[] Writable { get; } = new bool[256];

    /// <summary>The vocabulary of a tokenizer.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="limit">Ids from here on are never chosen.</param>
    public static TokenVocabulary Of(ITokenizer tokenizer, int limit) =>
        new([.. Enumerable.Range(0, limit).Select(id => tokenizer.IsText(id) ? tokenizer.BytesOf(id) : null)], tokenizer.PutsSpaceBeforeText);

    /// <summary>What a token writes; null for one that is no text.</summary>
    /// <param name="id">The token.</param>
    /// <param name="isFirst">Whether the answer begins with it; the space that the tokenizer puts before a text is no part of the text.</param>
    public ReadOnlyMemory<byte>? BytesOf(int id, bool isFirst)
    {
        if (_bytes[id] is not { } bytes)
        {
            return null;
        }

        return bytes.AsMemory(isFirst && _losesFirstSpace && bytes is [(byte)' ', ..] ? 1 : 0);
    }
}
