namespace Llava.ModelCore.Tokenization;

/// <summary>Ids of the tokens with a role; null where the tokenizer has none.</summary>
public sealed record SpecialTokenIds
{
    /// <summary>Begin of sequence.</summary>
    public int? Bos { get; init; }

    /// <summary>End of sequence.</summary>
    public int? Eos { get; init; }

    /// <summary>Padding.</summary>
    public int? Pad { get; init; }

    /// <summary>Unknown.</summary>
    public int? Unk { get; init; }
}
