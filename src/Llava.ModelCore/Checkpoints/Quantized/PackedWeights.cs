using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints.Quantized;

/// <summary>Packed matrices to be written in the place of the parameters that they hold.</summary>
/// <param name="Header">What the checkpoint says of itself.</param>
/// <param name="Entries">The matrices, without <see cref="PackedHeader.Prefix"/>.</param>
/// <param name="Read">Gives a matrix by its name.</param>
/// <param name="TypeOf">Type that any other parameter is written in.</param>
internal sealed record PackedWeights(PackedHeader Header, IReadOnlyList<TensorEntry> Entries, Func<string, Tensor> Read, Func<ModelParameter, ScalarType> TypeOf);
