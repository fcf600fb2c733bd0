namespace Llava.ModelCore.Models;

/// <summary>A model cannot be laid over the devices that are named.</summary>
public sealed class LayerPlacementException(string message) : LlavaException(message, isRetryable: false);
