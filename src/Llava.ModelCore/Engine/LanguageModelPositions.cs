using Llava.ModelCore.Checkpoints;

namespace Llava.ModelCore.Engine;

/// <summary>What a decoder's positions allow.</summary>
internal static class LanguageModelPositions
{
    /// <summary>Positions a sequence may have: those the model was trained for, stretched by its RoPE scaling.</summary>
    public static int Limit(LanguageModelConfig config) => (int)Math.Min(int.MaxValue, config.MaxPositions * (config.RopeScaling?.Factor ?? 1));

    /// <summary>Whether a sequence of this length is rotated differently from a shorter one (dynamic RoPE scaling beyond the trained length).</summary>
    public static bool DependOnLength(LanguageModelConfig config, int length) =>
        config.RopeScaling is { Kind: RopeScalingKind.Dynamic } && length > config.MaxPositions;

    /// <summary>The length that decides how a work's positions are rotated; 0 where they do not depend on it.</summary>
    public static int LongestOf(LanguageModelConfig config, StepWork work)
    {
        var length = Math.Max(work.FirstPosition + 1, work.Sequence.Layout.Positions);
        return DependOnLength(config, length) ? length : 0;
    }
}
