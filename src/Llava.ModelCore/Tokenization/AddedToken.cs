namespace Llava.ModelCore.Tokenization;

/// <summary>A token that is cut out of the text before the rest is split into pieces.</summary>
/// <param name="Content">The text that stands for it.</param>
/// <param name="Id">Its row in the embedding table.</param>
public sealed record AddedToken(string Content, int Id)
{
    /// <summary>Whether decoding leaves it out when special tokens are skipped.</summary>
    public bool IsSpecial { get; init; }

    /// <summary>Whether white space before it belongs to it and is lost.</summary>
    public bool StripsLeft { get; init; }

    /// <summary>Whether white space after it belongs to it and is lost.</summary>
    public bool StripsRight { get; init; }

    /// <summary>Whether it is looked for in the normalised text instead of the text as written.</summary>
    public bool IsNormalized { get; init; }
}
