using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Kernels.Files;

/// <summary>How a packed matrix stands in a file.</summary>
internal static class PackedEntry
{
    // Where rounding decides everything, the type that was rounded does not matter.
    private const ScalarType Rounded = ScalarType.BFloat16;

    /// <summary>Type and shape: integer panels are bytes (panels, bytes of a panel), float panels (panels, columns, 32).</summary>
    /// <param name="part">The matrix.</param>
    /// <param name="scheme">The scheme.</param>
    /// <param name="stored">Its type in the checkpoint that it was made from.</param>
    public static TensorEntry Of(DecoderPart part, QuantizationScheme scheme, ScalarType stored)
    {
        var format = DecoderFormats.Of(scheme, part.Kind, stored);
        return Panel.IsInteger(format)
            ? new TensorEntry(part.Name, ScalarType.Byte, [Panel.Count(part.Rows), Panel.Bytes(format, part.Columns)])
            : new TensorEntry(part.Name, TypeOf(format), [Panel.Count(part.Rows), part.Columns, Panel.Rows]);
    }

    /// <summary>The format of a matrix that stands in a file in this type.</summary>
    public static WeightFormat FormatOf(DecoderPart part, QuantizationScheme scheme, ScalarType type) => DecoderFormats.Of(scheme, part.Kind, type == ScalarType.Byte ? Rounded : type);

    /// <summary>The type of a format's numbers.</summary>
    public static ScalarType TypeOf(WeightFormat format) => format switch
    {
        WeightFormat.BFloat16 => ScalarType.BFloat16,
        WeightFormat.Float16 => ScalarType.Float16,
        WeightFormat.Float32 => ScalarType.Float32,
        _ => ScalarType.Byte,
    };
}
