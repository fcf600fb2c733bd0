using System.Text;

namespace Llava.ModelCore.Tokenization;

/// <summary>
/// LLaMA's SentencePiece tokenizer with the "legacy" behaviour of the slow Hugging Face class (spec 1.5): the text is cut at added
/// tokens and every remaining part is split by itself, with a space before it.
/// </summary>
public sealed class LlamaTokenizer : ITokenizer
{
    private readonly SentencePieceModel _model;
    private readonly SentencePieceBpe _bpe;
    private readonly SpecialTokenIds _special;
    private readonly AddedTokenSplitter _splitter;
    private readonly Dictionary<int, AddedToken> _addedById;
    private readonly Dictionary<string, AddedToken> _addedByContent;

    internal LlamaTokenizer(SentencePieceModel model, SpecialTokenIds special, IReadOnlyCollection<AddedToken> addedTokens)
        : this(model, new SentencePieceBpe(model), special, addedTokens)
    {
    }

    private LlamaTokenizer(SentencePieceModel model, SentencePieceBpe bpe, SpecialTokenIds special, IReadOnlyCollection<AddedToken> addedTokens)
    {
        (_model, _bpe, _special, AddedTokens) = (model, bpe, special, addedTokens);
        _splitter = new AddedTokenSplitter(addedTokens);
        _addedById = addedTokens.ToDictionary(token => token.Id);
        _addedByContent = addedTokens.ToDictionary(token => token.Content, StringComparer.Ordinal);
        VocabularySize = Math.Max(model.Pieces.Count, addedTokens.Select(token => token.Id + 1).DefaultIfEmpty().Max());
    }

    /// <summary>Whether <see cref="Encode(string)"/> puts bos before the text. Default true.</summary>
    public bool AddsBos { get; init; } = true;

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
    public IReadOnlyList<int> Encode(string text) => Encode(text, AddsBos);

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string text, bool addBos)
    {
        List<int> ids = [];
        if (addBos && BosId is { } bos)
        {
            ids.Add(bos);
        }

        foreach (var (part, token) in _splitter.Split(text))
        {
            if (token is not null)
            {
                ids.Add(token.Id);
            }
            else
            {
                _bpe.Encode(part!, ids);
            }
        }

        return ids;
    }

    /// <inheritdoc/>
    public string Decode(IEnumerable<int> ids, bool skipSpecial)
    {
        if (!skipSpecial)
        {
            return DecodeWithSpecial(ids);
        }

        var text = new StringBuilder();
        var decoder = StartDecoding();
        foreach (var id in ids)
        {
            decoder.Append(id, text);
        }

        decoder.Complete(text);
        return text.ToString();
    }

    /// <inheritdoc/>
    public TokenDecoder StartDecoding() => new LlamaDecoder(this);

    /// <inheritdoc/>
    public int? IdOf(string token) => _addedByContent.TryGetValue(token, out var added) ? added.Id : _model.IdOf(token);

    /// <inheritdoc/>
    public string? TokenOf(int id) =>
        _addedById.TryGetValue(id, out var added) ? added.Content : id >= 0 && id < _model.Pieces.Count ? _model.Pieces[id].Text : null;

    /// <inheritdoc/>
    public byte[] BytesOf(int id) =>
        !_addedById.ContainsKey(id) && id >= 0 && id < _model.Pieces.Count && _model.Pieces[id] is { Kind: SentencePieceKind.Byte } piece
            ? [SentencePieceBpe.ByteOf(piece.Text)]
            : Encoding.UTF8.GetBytes((TokenOf(id) ?? "").Replace(SentencePieceBpe.Space, ' '));

    /// <inheritdoc/>
    public bool IsSpecial(int id) => _addedById.TryGetValue(id, out var token) && token.IsSpecial;

    /// <inheritdoc/>
    public bool IsText(int id) => id >= 0 && id < _model.Pieces.Count && !_addedById.ContainsKey(id)
        && _model.Pieces[id].Kind is SentencePieceKind.Normal or SentencePieceKind.UserDefined or SentencePieceKind.Byte;

    /// <inheritdoc/>
    public bool PutsSpaceBeforeText => _model.AddDummyPrefix;

    /// <inheritdoc/>
    public ITokenizer WithAddedTokens(params IReadOnlyList<string> contents)
    {
        var next = VocabularySize;
        var added = contents.Where(content => !_addedByContent.ContainsKey(content)).Distinct(StringComparer.Ordinal)
            .Select(content => new AddedToken(content, _model.IdOf(content) ?? next++) { StripsLeft = true, StripsRight = true });
        return new LlamaTokenizer(_model, _bpe, _special, [.. AddedTokens, .. added]) { AddsBos = AddsBos };
    }

    /// <summary>Whether the id is a row that was added behind the model's own pieces; text around it is joined with a space.</summary>
    internal bool IsBehindPieces(int id) => id >= _model.Pieces.Count;

    /// <summary>Puts one id that is neither special nor behind the pieces into a text.</summary>
    internal void AppendPiece(int id, bool isFirst, SentencePieceText text, StringBuilder output)
    {
        var piece = _model.Pieces[id];
        if (piece.Kind == SentencePieceKind.Byte)
        {
            text.AppendByte(SentencePieceBpe.ByteOf(piece.Text), output);
        }
        else
        {
            var start = isFirst && piece.Text is [SentencePieceBpe.Space, ..] ? 1 : 0;
            text.AppendPiece(piece.Text.AsSpan(start), output);
        }
    }

    private string DecodeWithSpecial(IEnumerable<int> ids)
    {
        List<string> parts = [];
        List<int> run = [];
        foreach (var id in ids.Where(id => TokenOf(id) is not null))
        {
            if (IsBehindPieces(id))
            {
                EndRun();
                parts.Add(TokenOf(id)!);
            }
            else
            {
                run.Add(id);
            }
        }

        EndRun();
        return string.Join(' ', parts);

        void EndRun()
        {
            if (run.Count > 0)
            {
                parts.Add(DecodeRun(run));
                run.Clear();
            }
        }
    }

    // transformers' slow tokenizer writes a space before the text that leads up to a special token, not between the two.
    private string DecodeRun(List<int> ids)
    {
        StringBuilder output = new();
        var textStart = 0;
        var text = new SentencePieceText();
        for (var index = 0; index < ids.Count; index++)
        {
            if (!IsSpecial(ids[index]))
            {
                AppendPiece(ids[index], isFirst: index == 0, text, output);
                continue;
            }

            text.Complete(output);
            if (index > 0 && !IsSpecial(ids[index - 1]))
            {
                output.Insert(textStart, ' ');
            }

            output.Append(TokenOf(ids[index]));
            textStart = output.Length;
            text = new SentencePieceText();
        }

        text.Complete(output);
        return output.ToString();
    }
}
