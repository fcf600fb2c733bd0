using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>A pass that the device has got.</summary>
/// <param name="Pass">The rows.</param>
/// <param name="Sampled">Those of them that sample.</param>
/// <param name="Logits">float32 (theirs, vocabulary), until the next pass in the same buffers.</param>
/// <param name="Chosen">Tokens that the device chooses; null for none. The step's own, until somebody takes them.</param>
internal sealed record LaunchedPass(DevicePass Pass, SampledRows Sampled, Tensor Logits, UnreadTokens? Chosen);
