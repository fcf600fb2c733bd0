using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>Named tensors on disk: one file, or the shards of an index. Nothing is read until it is asked for.</summary>
public interface ITensorSource : IDisposable
{
    /// <summary>The file, or the index of the shards.</summary>
    string Path { get; }

    /// <summary>Every tensor, unread.</summary>
    IReadOnlyCollection<TensorEntry> Entries { get; }

    /// <summary>Looks a tensor up without reading it.</summary>
    bool TryGetEntry(string name, [NotNullWhen(true)] out TensorEntry? entry);

    /// <summary>A copy of the tensor on the CPU, contiguous, in the file's own type. The caller owns it.</summary>
    /// <exception cref="CheckpointException">No such tensor, or the file is damaged.</exception>
    Tensor Read(string name);
}
