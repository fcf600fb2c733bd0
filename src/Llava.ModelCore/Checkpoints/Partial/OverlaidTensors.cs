using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints.Partial;

/// <summary>A base's tensors, with those of a second source in place of its own or beside them. Owns both.</summary>
internal sealed class OverlaidTensors(ITensorSource below, ITensorSource above) : ITensorSource
{
    public string Path => above.Path;

    public IReadOnlyCollection<TensorEntry> Entries => [.. below.Entries.Where(entry => !above.TryGetEntry(entry.Name, out _)), .. above.Entries];

    public bool TryGetEntry(string name, [NotNullWhen(true)] out TensorEntry? entry) => above.TryGetEntry(name, out entry) || below.TryGetEntry(name, out entry);

    public Tensor Read(string name) => (above.TryGetEntry(name, out _) ? above : below).Read(name);

    public void Dispose()
    {
        above.Dispose();
        below.Dispose();
    }
}
