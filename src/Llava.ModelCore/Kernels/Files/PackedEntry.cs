using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Linear;
using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Kernels.Files;

/// <summary>How a packed matrix stands in a file.</summary>
internal static class PackedEntry
{
    // Where rounding decides everything, the type that was rounded does not matter.
    private const ScalarType Rounded = ScalarType.BFloat16;

    /// <summary>Type and shape: float panels are (panels, columns, 32), all others bytes (panels, bytes of a panel).</summary>
    /// <param name="part">The matrix.</param>
    /// <param name="scheme">The scheme.</param>
    /// <param name="stored">Its type in the checkpoint that it was made from.</param>
    public static TensorEntry Of(DecoderPart part, QuantizationScheme scheme, ScalarType stored)
    {
        var format = DecoderFormats.Of(scheme, part, stored);
        return Of(part.Name, part.Rows, part.Columns, format);
    }

    /// <summary>The same of a matrix of tower or projector.</summary>
    public static TensorEntry Of(ModelParameter image) => Of(image.Name, (int)image.Shape[0], (int)image.Shape[1], ImageMatrix.Format);

    /// <summary>The format of a matrix that stands in a file in this type.</summary>
    public static WeightFormat FormatOf(DecoderPart part, QuantizationScheme scheme, ScalarType type) => DecoderFormats.Of(scheme, part, type == ScalarType.Byte ? Rounded : type);

    /// <summary>The type of a format's numbers.</summary>
    public static ScalarType TypeOf(WeightFormat format) => format switch
    {
        WeightFormat.BFloat16 => ScalarType.BFloat16,
        WeightFormat.Float16 => ScalarType.Float16,
        WeightFormat.Float32 => ScalarType.Float32,
        _ => ScalarType.Byte,
    };

    private static TensorEntry Of(string name, int rows, int columns, WeightFormat format) => TypeOf(format) is var type && type == ScalarType.Byte
        ? new(name, type, [Panel.Count(rows), Panel.Bytes(format, columns)])
        : new(name, type, [Panel.Count(rows), columns, Panel.Rows]);
}
