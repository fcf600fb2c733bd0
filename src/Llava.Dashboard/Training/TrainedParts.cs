using Llava.Contracts.Requests;

namespace Llava.Dashboard.Training;

/// <summary>What a run trains, in words.</summary>
internal static class TrainedParts
{
    /// <summary>The words for a mode.</summary>
    public static string Of(TrainingMode mode) => mode switch
    {
        TrainingMode.Alignment => "a new projector (alignment)",
        TrainingMode.Projector => "the projector",
        TrainingMode.Lora => "an adapter (LoRA) and the projector",
        TrainingMode.QLora => "an adapter on 4-bit weights (QLoRA) and the projector",
        _ => "language model and projector",
    };
}
