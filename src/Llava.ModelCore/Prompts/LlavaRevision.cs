namespace Llava.ModelCore.Prompts;

/// <summary>The states of the original implementation whose templates differ (spec 0.1).</summary>
public enum LlavaRevision
{
    /// <summary>Package 0.1, up to early July 2023; needed for faithful v0 checkpoints.</summary>
    V01,

    /// <summary>Package 1.0.1, July 2023.</summary>
    V10,

    /// <summary>Package 1.2.2, May 2024: LLaVA-1.5 and 1.6.</summary>
    V12,
}
