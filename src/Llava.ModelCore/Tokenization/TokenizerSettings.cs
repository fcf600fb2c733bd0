using System.Globalization;
using System.Text.Json;

namespace Llava.ModelCore.Tokenization;

/// <summary>What the small files around a tokenizer say: which tokens have a role, which were added, how text is put together.</summary>
internal sealed record TokenizerSettings
{
    private static readonly string[] RoleNames = ["bos_token", "eos_token", "unk_token", "pad_token"];

    private Dictionary<string, DeclaredToken> Roles { get; init; } = [];

    private List<DeclaredToken> AdditionalSpecialTokens { get; init; } = [];

    // added_tokens.json: mere strings, so the white space around them is lost
    private List<AddedToken> PlainTokens { get; init; } = [];

    /// <summary>Tokens declared in full with their id (<c>added_tokens_decoder</c> of newer files).</summary>
    public IReadOnlyList<AddedToken> DeclaredTokens { get; private init; } = [];

    /// <summary>Whether bos is put before a text (<c>add_bos_token</c>). Default true.</summary>
    public bool AddsBos { get; private init; } = true;

    /// <summary>Whether decoding removes spaces before punctuation (<c>clean_up_tokenization_spaces</c>). Default true, as in transformers then.</summary>
    public bool CleansUpSpaces { get; private init; } = true;

    public static TokenizerSettings Read(string folder)
    {
        var config = JsonFile.ReadIfPresent(Path.Combine(folder, "tokenizer_config.json"));
        var map = JsonFile.ReadIfPresent(Path.Combine(folder, "special_tokens_map.json"));
        var added = JsonFile.ReadIfPresent(Path.Combine(folder, "added_tokens.json"));
        return new TokenizerSettings
        {
            Roles = ReadRoles(config, map),
            AdditionalSpecialTokens = map.TryGetProperty("additional_special_tokens", out var additional)
                ? [.. additional.EnumerateArray().Select(token => DeclaredToken.Parse(token, isPlainString: true)).OfType<DeclaredToken>()]
                : [],
            PlainTokens = [.. added.EnumerateObject().Select(token => new AddedToken(token.Name, token.Value.GetInt32()) { StripsLeft = true, StripsRight = true })],
            DeclaredTokens = config.TryGetProperty("added_tokens_decoder", out var declared)
                ? [.. declared.EnumerateObject().Select(token => DeclaredToken.ParseAdded(token.Value, int.Parse(token.Name, CultureInfo.InvariantCulture)))]
                : [],
            AddsBos = !IsFalse(config, "add_bos_token"),
            CleansUpSpaces = !IsFalse(config, "clean_up_tokenization_spaces"),
        };
    }

    /// <summary>The same, with these tokens in the roles that the files leave open.</summary>
    public TokenizerSettings WithDefaults(string bos, string eos, string unk)
    {
        Dictionary<string, DeclaredToken> roles = new(Roles);
        roles.TryAdd("bos_token", new(bos));
        roles.TryAdd("eos_token", new(eos));
        roles.TryAdd("unk_token", new(unk));
        return this with { Roles = roles };
    }

    /// <summary>All tokens to cut out of a text, each content once; a full declaration wins over a mere string.</summary>
    /// <param name="declared">Tokens declared in full.</param>
    /// <param name="idInVocabulary">Id of a token of the vocabulary; null if there is none.</param>
    public List<AddedToken> MergeAddedTokens(IReadOnlyList<AddedToken> declared, Func<string, int?> idInVocabulary)
    {
        var tokens = PlainTokens.Concat(declared).GroupBy(token => token.Content).ToDictionary(group => group.Key, group => group.Last(), StringComparer.Ordinal);
        foreach (var role in Roles.Values.Concat(AdditionalSpecialTokens).OrderByDescending(token => token.IsPlainString))
        {
            if ((tokens.GetValueOrDefault(role.Content)?.Id ?? idInVocabulary(role.Content)) is { } id)
            {
                tokens[role.Content] = role.ToAddedToken(id);
            }
        }

        foreach (var token in declared)
        {
            tokens[token.Content] = token with { IsSpecial = tokens[token.Content].IsSpecial };
        }

        return [.. tokens.Values];
    }

    /// <summary>Ids of the tokens with a role.</summary>
    public SpecialTokenIds RoleIds(IReadOnlyList<AddedToken> tokens)
    {
        return new SpecialTokenIds { Bos = Find("bos_token"), Eos = Find("eos_token"), Unk = Find("unk_token"), Pad = Find("pad_token") };

        int? Find(string role) => Roles.TryGetValue(role, out var named) ? tokens.FirstOrDefault(token => token.Content == named.Content)?.Id : null;
    }

    // A string in tokenizer_config.json reaches transformers' constructor, which declares it in full; one in the map replaces that.
    private static Dictionary<string, DeclaredToken> ReadRoles(JsonElement config, JsonElement map)
    {
        Dictionary<string, DeclaredToken> roles = [];
        foreach (var name in RoleNames)
        {
            if ((DeclaredToken.Parse(map, name, isPlainString: true) ?? DeclaredToken.Parse(config, name, isPlainString: false)) is { } token)
            {
                roles[name] = token;
            }
        }

        return roles;
    }

    private static bool IsFalse(JsonElement config, string name) => config.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.False;
}
