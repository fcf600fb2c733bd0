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
}
