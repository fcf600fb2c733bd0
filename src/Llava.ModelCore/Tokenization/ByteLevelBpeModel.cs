using System.Text;
using System.Text.Json;
using Microsoft.ML.Tokenizers;

namespace Llava.ModelCore.Tokenization;

/// <summary>The parts of a byte-level <c>tokenizer.json</c>: vocabulary, merges, normaliser and added tokens.</summary>
internal sealed class ByteLevelBpeModel
{
    private readonly BpeTokenizer _bpe;
    private readonly Dictionary<int, string> _tokens;

    private ByteLevelBpeModel(Dictionary<string, int> vocabulary, List<string> merges, bool composes, List<AddedToken> addedTokens)
    {
        _bpe = BpeTokenizer.Create(new BpeOptions(vocabulary) { Merges = merges, ByteLevel = true, PreTokenizer = new Gpt2Words() });
        _tokens = vocabulary.ToDictionary(entry => entry.Value, entry => entry.Key);
        (Vocabulary, Composes, AddedTokens) = (vocabulary, composes, addedTokens);
    }

    public IReadOnlyDictionary<string, int> Vocabulary { get; }

    /// <summary>Whether text is brought into the composed form (NFC) first.</summary>
    public bool Composes { get; }

    public IReadOnlyList<AddedToken> AddedTokens { get; }

    /// <summary>Whether the file describes a byte-level BPE rather than a converted SentencePiece model.</summary>
    public static bool IsByteLevel(JsonElement root) =>
        root.TryGetProperty("pre_tokenizer", out var words) && TypeOf(words) == "ByteLevel" && TypeOf(root.GetProperty("model")) == "BPE";

    /// <summary>Reads the content of a <c>tokenizer.json</c>.</summary>
    /// <exception cref="TokenizerException">A part of the file asks for something GPT-NeoX does not do.</exception>
    public static ByteLevelBpeModel Parse(JsonElement root, string path)
    {
        var normalizer = root.TryGetProperty("normalizer", out var named) ? TypeOf(named) : null;
        if (normalizer is not (null or "NFC"))
        {
            throw Unsupported(path, "normalizer", normalizer, "NFC");
        }

        var words = root.GetProperty("pre_tokenizer");
        if (IsTrue(words, "add_prefix_space"))
        {
            throw Unsupported(path, "pre_tokenizer.add_prefix_space", "true", "false");
        }

        var model = root.GetProperty("model");
        var vocabulary = model.GetProperty("vocab").EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetInt32(), StringComparer.Ordinal);
        List<string> merges = [.. model.GetProperty("merges").EnumerateArray().Select(MergeOf)];
        List<AddedToken> added = root.TryGetProperty("added_tokens", out var list) ? [.. list.EnumerateArray().Select(token => DeclaredToken.ParseAdded(token, token.GetProperty("id").GetInt32()))] : [];
        return new ByteLevelBpeModel(vocabulary, merges, normalizer == "NFC", added);
    }

    public void Encode(string text, List<int> ids) => ids.AddRange(_bpe.EncodeToIds(text));

    public string? TokenOf(int id) => _tokens.GetValueOrDefault(id);

    /// <summary>The bytes a token of the vocabulary stands for.</summary>
    public static byte[] BytesOf(string token) => ByteLevelAlphabet.BytesOf(token) ?? Encoding.UTF8.GetBytes(token);

    // "a b" in older files, ["a", "b"] in newer ones
    private static string MergeOf(JsonElement merge) =>
        merge.ValueKind == JsonValueKind.String ? merge.GetString()! : $"{merge[0].GetString()} {merge[1].GetString()}";

    private static string? TypeOf(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty("type", out var type) ? type.GetString() : null;

    private static bool IsTrue(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    private static TokenizerException Unsupported(string path, string field, string found, string supported) =>
        new($"Cannot use the tokenizer '{path}': {field} is '{found}' and only '{supported}' is supported.");
}
