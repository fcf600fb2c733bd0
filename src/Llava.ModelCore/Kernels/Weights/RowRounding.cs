namespace Llava.ModelCore.Kernels.Weights;

/// <summary>Rounds a row by its largest magnitude, which becomes ±127: what LLM.int8() does to weights and to tokens.</summary>
internal static class RowRounding
{
    private const float Most = 127;

    /// <summary>Levels of a magnitude of one; none where what is largest is no number, or so small that they would not be.</summary>
    /// <remarks>The reciprocal comes first, as torch divides a constant by a tensor: that decides where a number lies half way between two levels.</remarks>
    public static float Levels(float largest) => largest >= GroupRounding.Smallest && float.IsFinite(largest) ? 1 / largest * Most : 0;

    /// <summary>Magnitude of a level; NaN stays.</summary>
    public static float Scale(float largest) => largest < GroupRounding.Smallest ? 0 : largest / Most;
}
