using Google.Protobuf;

namespace Llava.ModelCore.Tokenization;

/// <summary>The parts of a SentencePiece <c>tokenizer.model</c> that decide how text is split (sentencepiece_model.proto).</summary>
internal sealed class SentencePieceModel
{
    private const int BpeModel = 2;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly List<SentencePiece> _pieces = [];

    public IReadOnlyList<SentencePiece> Pieces => _pieces;

    /// <summary>Whether a space is put before the text. Default true.</summary>
    public bool AddDummyPrefix { get; private set; } = true;

    private int ModelType { get; set; } = 1;

    private bool RemovesExtraWhitespace { get; set; } = true;

    private bool HasCharacterMap { get; set; }

    private bool HasByteFallback { get; set; }

    public int? IdOf(string piece) => _ids.TryGetValue(piece, out var id) ? id : null;

    /// <summary>Reads a model file.</summary>
    /// <exception cref="TokenizerException">Not a SentencePiece model, or not of the kind that LLaMA uses: BPE, byte fallback, no normalisation.</exception>
    public static SentencePieceModel Load(string path)
    {
        var model = new SentencePieceModel();
        try
        {
            using var input = new CodedInputStream(File.ReadAllBytes(path));
            model.Read(input);
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or IOException or UnauthorizedAccessException)
        {
            throw new TokenizerException($"Cannot read the tokenizer '{path}': {exception.Message} Download the file again.", exception);
        }

        if (model._pieces.Count == 0)
        {
            throw new TokenizerException($"'{path}' holds no pieces, so it is not a SentencePiece model. Download the file again.");
        }

        if (model.ModelType != BpeModel || model.RemovesExtraWhitespace || model.HasCharacterMap || !model.HasByteFallback)
        {
            throw new TokenizerException(
                $"The SentencePiece model '{path}' has type {model.ModelType}, removes extra spaces: {model.RemovesExtraWhitespace}, character map: {model.HasCharacterMap}, byte fallback: {model.HasByteFallback}. " +
                $"Only what LLaMA uses is supported: type {BpeModel} (BPE), no normalisation, byte fallback.");
        }

        return model;
    }

    private void Read(CodedInputStream input)
    {
        while (input.ReadTag() is var tag and not 0)
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1: ReadNested(input, ReadPiece); break;
                case 2: ReadNested(input, ReadTrainerSpec); break;
                case 3: ReadNested(input, ReadNormalizerSpec); break;
                default: input.SkipLastField(); break;
            }
        }
    }

    private static void ReadNested(CodedInputStream input, Action<CodedInputStream> read)
    {
        using var nested = input.ReadBytes().CreateCodedInput();
        read(nested);
    }

    private void ReadPiece(CodedInputStream input)
    {
        var piece = new SentencePiece("", 0, SentencePieceKind.Normal);
        while (input.ReadTag() is var tag and not 0)
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1: piece = piece with { Text = input.ReadString() }; break;
                case 2: piece = piece with { Score = input.ReadFloat() }; break;
                case 3: piece = piece with { Kind = (SentencePieceKind)input.ReadEnum() }; break;
                default: input.SkipLastField(); break;
            }
        }

        _ids.TryAdd(piece.Text, _pieces.Count);
        _pieces.Add(piece);
    }

    private void ReadTrainerSpec(CodedInputStream input)
    {
        while (input.ReadTag() is var tag and not 0)
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 3: ModelType = input.ReadEnum(); break;
                case 35: HasByteFallback = input.ReadBool(); break;
                default: input.SkipLastField(); break;
            }
        }
    }

    private void ReadNormalizerSpec(CodedInputStream input)
    {
        while (input.ReadTag() is var tag and not 0)
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 2: HasCharacterMap = input.ReadBytes().Length > 0; break;
                case 3: AddDummyPrefix = input.ReadBool(); break;
                case 4: RemovesExtraWhitespace = input.ReadBool(); break;
                default: input.SkipLastField(); break;
            }
        }
    }
}

/// <summary>One entry of the vocabulary.</summary>
/// <param name="Text">With ▁ for a space.</param>
/// <param name="Score">Merges with a higher score come first.</param>
/// <param name="Kind">What the piece stands for.</param>
internal readonly record struct SentencePiece(string Text, float Score, SentencePieceKind Kind);

/// <summary>The proto's enum <c>Type</c>.</summary>
internal enum SentencePieceKind
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}
