using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Linear;

/// <summary>The matrices of vision tower and projector where they are on our own kernels (<see cref="ModelParameters.IsImageMatrix"/>).</summary>
internal static class ImageMatrix
{
    /// <summary>How they are kept: half the memory of float32, and no less exact than half precision, in which LLaVA's own tower runs.</summary>
    public const WeightFormat Format = WeightFormat.Int16;

    /// <summary>Bytes of a matrix.</summary>
    public static long BytesOf(ModelParameter matrix) => Panel.Count((int)matrix.Shape[0]) * Panel.Bytes(Format, (int)matrix.Shape[1]);
}
