using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints.Partial;

/// <summary>Tensors of a file under other names.</summary>
internal sealed class RenamedTensors : ITensorSource
{
    private readonly ITensorSource _file;
    private readonly Dictionary<string, TensorEntry> _inFile = new(StringComparer.Ordinal);

    /// <exception cref="CheckpointException">Two tensors would have one name.</exception>
    public RenamedTensors(ITensorSource file, Func<string, string> rename)
    {
        _file = file;
        foreach (var entry in file.Entries)
        {
            if (!_inFile.TryAdd(rename(entry.Name), entry))
            {
                file.Dispose();
                throw new CheckpointException($"'{file.Path}' holds '{rename(entry.Name)}' twice, once as '{entry.Name}'.");
            }
        }
    }

    public string Path => _file.Path;

    public IReadOnlyCollection<TensorEntry> Entries => [.. _inFile.Select(pair => pair.Value with { Name = pair.Key })];

    public bool TryGetEntry(string name, [NotNullWhen(true)] out TensorEntry? entry)
    {
        entry = _inFile.TryGetValue(name, out var found) ? found with { Name = name } : null;
        return entry is not null;
    }

    public Tensor Read(string name) => _inFile.TryGetValue(name, out var entry)
        ? _file.Read(entry.Name)
        : throw new CheckpointException($"'{Path}' has no tensor '{name}'.");

    public void Dispose() => _file.Dispose();
}
