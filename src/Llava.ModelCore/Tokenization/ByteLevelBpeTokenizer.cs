using System.Text;

namespace Llava.ModelCore.Tokenization;

/// <summary>The byte-level BPE of GPT-NeoX, which MPT uses: NFC, GPT-2's words, no bos put before the text (spec 1.5).</summary>
public sealed class ByteLevelBpeTokenizer : ITokenizer
{
    private readonly ByteLevelBpeModel _model;
    private readonly SpecialTokenIds _special;
    private readonly AddedTokenSplitter _asWritten;
    private readonly AddedTokenSplitter _normalized;
    private readonly Dictionary<string, AddedToken> _addedByContent;
    private readonly Dictionary<int, AddedToken> _addedById;

    internal ByteLevelBpeTokenizer(ByteLevelBpeModel model, SpecialTokenIds special, IReadOnlyCollection<AddedToken> addedTokens)
    {
        (_model, _special, AddedTokens) = (model, special, addedTokens);
        _asWritten = new AddedTokenSplitter(addedTokens.Where(token => !token.IsNormalized));
        _normalized = new AddedTokenSplitter(addedTokens.Where(token => token.IsNormalized));
        _addedByContent = addedTokens.ToDictionary(token => token.Content, StringComparer.Ordinal);
        _addedById = addedTokens.ToDictionary(token => token.Id);
        VocabularySize = model.Vocabulary.Values.Concat(addedTokens.Select(token => token.Id)).Max() + 1;
    }

    /// <summary>
    /// Whether decoding takes away the space before punctuation and contractions (<c>clean_up_tokenization_spaces</c>), as upstream
    /// does for MPT.
    /// </summary>
    public bool CleansUpSpaces { get; init; }

    /// <inheritdoc/>
    public int VocabularySize { get; }

    /// <inheritdoc/>
    public int? BosId => _special.Bos;

    /// <inheritdoc/>
    public int? EosId => _special.Eos;

    /// <inheritdoc/>
    public int? PadId => _special.Pad;

    /// <inheritdoc/>
    public int? UnkId => _special.Unk;

    /// <inheritdoc/>
    public IReadOnlyCollection<AddedToken> AddedTokens { get; }

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string text) => Encode(text, addBos: false);

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string text, bool addBos)
    {
        List<int> ids = [];
        if (addBos && BosId is { } bos)
        {
            ids.Add(bos);
        }

        foreach (var (part, token) in _asWritten.Split(text))
        {
            if (token is not null)
            {
                ids.Add(token.Id);
            }
            else
            {
                EncodeNormalized(_model.Composes ? CanonicalComposition.Compose(part!) : part!, ids);
            }
        }

        return ids;
    }

    /// <inheritdoc/>
    public string Decode(IEnumerable<int> ids, bool skipSpecial)
    {
        var text = new StringBuilder();
        var decoder = StartDecoding(skipSpecial);
        foreach (var id in ids)
        {
            decoder.Append(id, text);
        }

        decoder.Complete(text);
        return text.ToString();
    }

    /// <inheritdoc/>
    public TokenDecoder StartDecoding() => StartDecoding(skipSpecial: true);

    /// <inheritdoc/>
    public int? IdOf(string token) =>
        _addedByContent.TryGetValue(token, out var added) ? added.Id : _model.Vocabulary.TryGetValue(token, out var id) ? id : null;

    /// <inheritdoc/>
    public string? TokenOf(int id) => _addedById.TryGetValue(id, out var added) ? added.Content : _model.TokenOf(id);

    /// <inheritdoc/>
    public bool IsSpecial(int id) => _addedById.TryGetValue(id, out var token) && token.IsSpecial;

    /// <inheritdoc/>
    public ITokenizer WithAddedTokens(params IReadOnlyList<string> contents)
    {
        var next = VocabularySize;
        var added = contents.Where(content => !_addedByContent.ContainsKey(content)).Distinct(StringComparer.Ordinal)
            .Select(content => new AddedToken(content, IdOf(content) ?? next++) { IsSpecial = true });
        return new ByteLevelBpeTokenizer(_model, _special, [.. AddedTokens, .. added]) { CleansUpSpaces = CleansUpSpaces };
    }

    /// <inheritdoc/>
    public byte[] BytesOf(int id) =>
        _addedById.TryGetValue(id, out var added) ? Encoding.UTF8.GetBytes(added.Content)
        : _model.TokenOf(id) is { } token ? ByteLevelBpeModel.BytesOf(token) : [];

    /// <inheritdoc/>
    public bool IsText(int id) => !_addedById.ContainsKey(id) && _model.TokenOf(id) is not null;

    /// <inheritdoc/>
    public bool PutsSpaceBeforeText => false;

    private TokenDecoder StartDecoding(bool skipSpecial)
    {
        var decoder = new ByteLevelDecoder(this, skipSpecial);
        return CleansUpSpaces ? new SpaceCleanup(decoder) : decoder;
    }

    private void EncodeNormalized(string text, List<int> ids)
    {
        foreach (var (part, token) in _normalized.Split(text))
        {
            if (token is not null)
            {
                ids.Add(token.Id);
            }
            else
            {
                _model.Encode(part!, ids);
            }
        }
    }
}
