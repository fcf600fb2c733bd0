using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>A tensor inside a checkpoint file, before it is read.</summary>
/// <param name="Name">Name as the file spells it.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Shape; empty for a scalar.</param>
public sealed record TensorEntry(string Name, ScalarType Type, IReadOnlyList<long> Shape)
{
    /// <summary>Elements in the tensor.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>Bytes of the tensor's elements.</summary>
    public long Bytes => checked(Count * ElementTypes.SizeOf(Type));
}

/// <summary>A checkpoint cannot be read: the message names the file, the tensor and what was expected.</summary>
public sealed class CheckpointException(string message, Exception? inner = null) : LlavaException(message, isRetryable: false, inner);
