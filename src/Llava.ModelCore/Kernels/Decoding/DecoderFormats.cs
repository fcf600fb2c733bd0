using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Kernels.Decoding;

/// <summary>How a scheme keeps the matrices of a decoder.</summary>
internal static class DecoderFormats
{
    /// <summary>The format of a matrix.</summary>
    /// <param name="scheme">The scheme.</param>
    /// <param name="part">The matrix.</param>
    /// <param name="stored">Its type in the checkpoint.</param>
    public static WeightFormat Of(QuantizationScheme scheme, DecoderPart part, ScalarType stored) => (scheme, part.Kind) switch
    {
        // Embeddings are looked up and not multiplied.
        (QuantizationScheme.Int8 or QuantizationScheme.Int4, DecoderPartKind.Table) => WeightFormat.BFloat16,
        (QuantizationScheme.Int4, DecoderPartKind.Layer) => WeightFormat.Int4,
        // The head's rounding is seen by every token at once, so it never has fewer than 8 bits.
        (QuantizationScheme.Int8 or QuantizationScheme.Int4, _) => WeightFormat.Int8,
        // bitsandbytes leaves head and embeddings alone, and multiplies by NF4's values in half precision: which are kept where a row is no whole number of blocks.
        (QuantizationScheme.Nf4, DecoderPartKind.Layer) => Nf4Panel.Fits(part.Columns) ? WeightFormat.Nf4 : WeightFormat.Float16,
        (QuantizationScheme.LlmInt8, DecoderPartKind.Layer) => WeightFormat.LlmInt8,
        _ => stored switch
        {
            ScalarType.BFloat16 => WeightFormat.BFloat16,
            ScalarType.Float16 => WeightFormat.Float16,
            _ => WeightFormat.Float32,
        },
    };

    /// <summary>Bytes of a matrix.</summary>
    public static long BytesOf(DecoderPart part, WeightFormat format) => part.Kind == DecoderPartKind.Table
        ? EmbeddingTable.BytesOf(part.Rows, part.Columns, format)
        : Panel.Count(part.Rows) * Panel.Bytes(format, part.Columns);
}
