using System.Globalization;
using System.Text;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>
/// Writes a SentencePiece model file (<c>sentencepiece_model.proto</c>) in LLaMA's conventions: 0 unknown, 1 <c>&lt;s&gt;</c>,
/// 2 <c>&lt;/s&gt;</c>, then the 256 bytes, then the pieces; a dummy space in front, no other normalisation.
/// </summary>
internal static class SentencePieceWriter
{
    /// <summary>Pieces before the learnt ones.</summary>
    public const int SpecialPieces = 3 + 256;

    private enum PieceType
    {
        Normal = 1,
        Unknown = 2,
        Control = 3,
        Byte = 6,
    }

    private const string Special = """
        {
          "add_bos_token": true,
          "add_eos_token": false,
          "bos_token": "<s>",
          "clean_up_tokenization_spaces": false,
          "eos_token": "</s>",
          "legacy": true,
          "model_max_length": 2048,
          "pad_token": null,
          "padding_side": "right",
          "tokenizer_class": "LlamaTokenizer",
          "unk_token": "<unk>"
        }

        """;

    private const string SpecialMap = """
        {
          "bos_token": { "content": "<s>", "lstrip": false, "normalized": true, "rstrip": false, "single_word": false },
          "eos_token": { "content": "</s>", "lstrip": false, "normalized": true, "rstrip": false, "single_word": false },
          "pad_token": "<unk>",
          "unk_token": { "content": "<unk>", "lstrip": false, "normalized": true, "rstrip": false, "single_word": false }
        }

        """;

    /// <summary>Writes tokenizer.model and the two small files that transformers keeps beside it.</summary>
    public static void WriteFolder(string folder, IReadOnlyList<string> pieces)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, "tokenizer.model"), Write(pieces));
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), Special);
        File.WriteAllText(Path.Combine(folder, "special_tokens_map.json"), SpecialMap);
    }

    /// <summary>The file's bytes.</summary>
    /// <param name="pieces">Learnt pieces, best first; a piece's score is minus its rank, as SentencePiece's own trainer writes it.</param>
    public static byte[] Write(IReadOnlyList<string> pieces)
    {
        using var model = new MemoryStream();
        WritePiece(model, "<unk>", 0, PieceType.Unknown);
        WritePiece(model, "<s>", 0, PieceType.Control);
        WritePiece(model, "</s>", 0, PieceType.Control);
        for (var value = 0; value < 256; value++)
        {
            WritePiece(model, $"<0x{value.ToString("X2", CultureInfo.InvariantCulture)}>", 0, PieceType.Byte);
        }

        for (var rank = 0; rank < pieces.Count; rank++)
        {
            WritePiece(model, pieces[rank], -rank, PieceType.Normal);
        }

        WriteMessage(model, 2, TrainerSpec(SpecialPieces + pieces.Count));
        WriteMessage(model, 3, NormalizerSpec());
        return model.ToArray();
    }

    private static void WritePiece(Stream model, string piece, float score, PieceType type)
    {
        using var message = new MemoryStream();
        WriteMessage(message, 1, Encoding.UTF8.GetBytes(piece));
        WriteTag(message, 2, wireType: 5);
        message.Write(BitConverter.GetBytes(score));
        WriteNumber(message, 3, (ulong)type);
        WriteMessage(model, 1, message.ToArray());
    }

    private static byte[] TrainerSpec(int size)
    {
        using var spec = new MemoryStream();
        WriteNumber(spec, 3, 2); // model_type BPE
        WriteNumber(spec, 4, (ulong)size); // vocab_size
        WriteNumber(spec, 25, 1); // split_digits
        WriteNumber(spec, 35, 1); // byte_fallback
        WriteNumber(spec, 40, 0); // unk_id
        WriteNumber(spec, 41, 1); // bos_id
        WriteNumber(spec, 42, 2); // eos_id
        WriteNumber(spec, 43, ulong.MaxValue); // pad_id −1
        return spec.ToArray();
    }

    private static byte[] NormalizerSpec()
    {
        using var spec = new MemoryStream();
        WriteMessage(spec, 1, "identity"u8); // name
        WriteNumber(spec, 3, 1); // add_dummy_prefix
        WriteNumber(spec, 4, 0); // remove_extra_whitespaces
        WriteNumber(spec, 5, 1); // escape_whitespaces
        return spec.ToArray();
    }

    private static void WriteMessage(Stream stream, int field, ReadOnlySpan<byte> bytes)
    {
        WriteTag(stream, field, wireType: 2);
        WriteVarint(stream, (ulong)bytes.Length);
        stream.Write(bytes);
    }

    private static void WriteNumber(Stream stream, int field, ulong value)
    {
        WriteTag(stream, field, wireType: 0);
        WriteVarint(stream, value);
    }

    private static void WriteTag(Stream stream, int field, int wireType) => WriteVarint(stream, (ulong)((field << 3) | wireType));

    private static void WriteVarint(Stream stream, ulong value)
    {
        while (value >= 0x80)
        {
            stream.WriteByte((byte)(value | 0x80));
            value >>= 7;
        }

        stream.WriteByte((byte)value);
    }
}
