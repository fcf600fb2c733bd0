using System.Text.Json;

namespace Llava.ModelCore.Tokenization;

/// <summary>A token as the small JSON files name it: a string, or an object that also says which white space it takes.</summary>
internal sealed record DeclaredToken(string Content)
{
    public bool StripsLeft { get; private init; }

    public bool StripsRight { get; private init; }

    /// <summary>Whether it was a mere string in a place where transformers' slow tokenizers then strip white space on both sides.</summary>
    public bool IsPlainString { get; private init; }

    public static DeclaredToken? Parse(JsonElement parent, string name, bool isPlainString) =>
        parent.TryGetProperty(name, out var token) ? Parse(token, isPlainString) : null;

    /// <summary>Null for JSON null and for the empty string, which some old checkpoints have.</summary>
    public static DeclaredToken? Parse(JsonElement token, bool isPlainString)
    {
        var isObject = token.ValueKind == JsonValueKind.Object;
        var content = isObject ? token.GetProperty("content").GetString() : token.ValueKind == JsonValueKind.String ? token.GetString() : null;
        return string.IsNullOrEmpty(content) ? null : new DeclaredToken(content)
        {
            StripsLeft = isObject ? IsTrue(token, "lstrip") : isPlainString,
            StripsRight = isObject ? IsTrue(token, "rstrip") : isPlainString,
            IsPlainString = !isObject && isPlainString,
        };
    }

    /// <summary>A token object with its id, from <c>tokenizer.json</c> or <c>added_tokens_decoder</c>.</summary>
    public static AddedToken ParseAdded(JsonElement token, int id) => new(token.GetProperty("content").GetString()!, id)
    {
        IsSpecial = IsTrue(token, "special"),
        StripsLeft = IsTrue(token, "lstrip"),
        StripsRight = IsTrue(token, "rstrip"),
        IsNormalized = IsTrue(token, "normalized"),
    };

    public AddedToken ToAddedToken(int id) => new(Content, id) { IsSpecial = true, StripsLeft = StripsLeft, StripsRight = StripsRight };

    private static bool IsTrue(JsonElement token, string name) => token.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
}
