namespace Llava.ModelCore.Checkpoints;

/// <summary>How to open a checkpoint.</summary>
public sealed class CheckpointOptions
{
    /// <summary>Folder of the vision tower, for checkpoints that do not contain it. Default: found from <c>mm_vision_tower</c>.</summary>
    public string? VisionTowerFolder { get; set; }

    /// <summary>
    /// Folder of the base model, for a LoRA adapter, a projector alone or a delta. Default: where the adapter's or the projector's config says;
    /// deltas do not say.
    /// </summary>
    public string? Base { get; set; }

    /// <summary>Whether tensors that nothing uses are only listed instead of refused. Default false.</summary>
    public bool AllowUnusedTensors { get; set; }

    /// <summary>Whether weights that look like a delta (a final norm near zero) are accepted as they are. Default false.</summary>
    public bool AllowDelta { get; set; }
}
