namespace Llava.ModelCore.Tokenization;

/// <summary>Text to token ids and back, exactly as the original implementation does. Instances are immutable and may be shared by threads.</summary>
public interface ITokenizer
{
    /// <summary>Ids are below this number; added tokens included.</summary>
    int VocabularySize { get; }

    /// <summary>Begin of sequence; null where the tokenizer has none.</summary>
    int? BosId { get; }

    /// <summary>End of sequence: generation ends there.</summary>
    int? EosId { get; }

    /// <summary>Padding; null where the tokenizer has none.</summary>
    int? PadId { get; }

    /// <summary>Unknown; null where the tokenizer has none.</summary>
    int? UnkId { get; }

    /// <summary>Tokens that are cut out of the text before the rest is split into pieces.</summary>
    IReadOnlyCollection<AddedToken> AddedTokens { get; }

    /// <summary>Ids of the text, with bos where this tokenizer puts one by itself (LLaMA does, GPT-NeoX does not); eos is never added.</summary>
    IReadOnlyList<int> Encode(string text);

    /// <summary>Ids of the text, with or without bos. Asking for bos of a tokenizer that has none changes nothing.</summary>
    IReadOnlyList<int> Encode(string text, bool addBos);

    /// <summary>Text of the ids; bytes that are not UTF-8 become U+FFFD, ids without a token nothing.</summary>
    string Decode(IEnumerable<int> ids, bool skipSpecial);

    /// <summary>Decoding of ids as they come, special tokens skipped; the parts together equal <see cref="Decode"/>.</summary>
    TokenDecoder StartDecoding();

    /// <summary>Id of a token by its exact text; null if there is none.</summary>
    int? IdOf(string token);

    /// <summary>The token as it is written in the vocabulary, for example <c>▁the</c>; null for an id without a token.</summary>
    string? TokenOf(int id);

    /// <summary>The bytes that a token stands for inside a text, its leading space included; they need not be whole characters. Empty for an id without a token.</summary>
    byte[] BytesOf(int id);

    /// <summary>Whether decoding skips this id when special tokens are skipped.</summary>
    bool IsSpecial(int id);

    /// <summary>Whether a model writes text with this id: neither a special nor an added token, and no id without a token.</summary>
    bool IsText(int id);

    /// <summary>Whether a text is split with a space before it, so that the first token's leading space is no part of the text.</summary>
    bool PutsSpaceBeforeText { get; }

    /// <summary>
    /// A tokenizer that also knows these tokens: those already in the vocabulary keep their id and are cut out from now on, the
    /// others get the next ids in order.
    /// </summary>
    ITokenizer WithAddedTokens(params IReadOnlyList<string> contents);
}
