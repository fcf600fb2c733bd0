using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Kernels.Decoding;

/// <summary>How a scheme keeps the matrices of a decoder.</summary>
internal static class DecoderFormats
{
    /// <summary>The format of a matrix.</summary>
    /// <param name="scheme">The scheme.</param>
    /// <param name="kind">What the matrix is for.</param>
    /// <param name="stored">Its type in the checkpoint.</param>
    public static WeightFormat Of(QuantizationScheme scheme, DecoderPartKind kind, ScalarType stored) => (scheme, kind) switch
    {
        // Embeddings are looked up and not multiplied.
        (QuantizationScheme.Int8 or QuantizationScheme.Int4, DecoderPartKind.Table) => WeightFormat.BFloat16,
        (QuantizationScheme.Int4, DecoderPartKind.Layer) => WeightFormat.Int4,
        // The head's rounding is seen by every token at once, so it never has fewer than 8 bits.
        (QuantizationScheme.Int8 or QuantizationScheme.Int4, _) => WeightFormat.Int8,
        // bitsandbytes multiplies by the code's values in half precision, and leaves head and embeddings alone.
        (QuantizationScheme.Nf4, DecoderPartKind.Layer) => WeightFormat.Float16,
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
