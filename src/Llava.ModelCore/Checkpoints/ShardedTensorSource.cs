using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>
/// The shards of an index file: <c>{"metadata": …, "weight_map": {tensor: file}}</c> (spec 2.1). Tensors a shard holds without
/// the index naming them count too, as they do for the original loader.
/// </summary>
public sealed class ShardedTensorSource : ITensorSource
{
    private readonly Dictionary<string, ITensorSource> _shards = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (TensorEntry Entry, ITensorSource Shard)> _tensors = new(StringComparer.Ordinal);

    private ShardedTensorSource(string path) => Path = path;

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public IReadOnlyCollection<TensorEntry> Entries => [.. _tensors.Values.Select(t => t.Entry)];

    /// <summary>Opens an index and all its shards.</summary>
    /// <exception cref="CheckpointException">The index or a shard is damaged or missing, or they contradict each other.</exception>
    public static ShardedTensorSource Open(string indexPath)
    {
        var source = new ShardedTensorSource(indexPath);
        try
        {
            source.OpenShards(ReadIndex(indexPath));
            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool TryGetEntry(string name, [NotNullWhen(true)] out TensorEntry? entry)
    {
        var isFound = _tensors.TryGetValue(name, out var found);
        entry = found.Entry;
        return isFound;
    }

    /// <inheritdoc/>
    public Tensor Read(string name) => _tensors.TryGetValue(name, out var found)
        ? found.Shard.Read(name)
        : throw new CheckpointException($"'{Path}' has no tensor '{name}'; it has {_tensors.Count}, the first is '{_tensors.Keys.FirstOrDefault()}'.");

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var shard in _shards.Values)
        {
            shard.Dispose();
        }
    }

    private static Dictionary<string, string> ReadIndex(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            var map = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var pair in json.RootElement.GetProperty("weight_map").EnumerateObject())
            {
                map[pair.Name] = pair.Value.GetString() ?? "";
            }

            return map;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IOException)
        {
            throw new CheckpointException($"'{path}' is not an index of shards (a JSON object with weight_map): {e.Message}", e);
        }
    }

    private void OpenShards(Dictionary<string, string> index)
    {
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;
        foreach (var (tensor, file) in index)
        {
            RequirePlainName(tensor, file);
            if (!_shards.ContainsKey(file))
            {
                _shards[file] = OpenShard(System.IO.Path.Combine(folder, file), file);
            }
        }

        foreach (var (file, shard) in _shards)
        {
            foreach (var entry in shard.Entries.Where(e => index.GetValueOrDefault(e.Name, file) == file))
            {
                if (!_tensors.TryAdd(entry.Name, (entry, shard)))
                {
                    throw new CheckpointException($"'{Path}': two shards hold tensor '{entry.Name}' and the index names neither; '{file}' is one of them.");
                }
            }
        }

        if (index.Keys.FirstOrDefault(name => !_tensors.ContainsKey(name)) is { } missing)
        {
            throw new CheckpointException($"'{Path}' says tensor '{missing}' is in '{index[missing]}', but that file does not hold it. Index and shards do not belong together; fetch both again.");
        }
    }

    private ITensorSource OpenShard(string path, string file) => File.Exists(path)
        ? TensorContainer.Open(path)
        : throw new CheckpointException($"'{Path}' names shard '{file}', which is missing. Fetch it into the same folder.");

    private void RequirePlainName(string tensor, string file)
    {
        if (file.Length == 0 || file is "." or ".." || file.AsSpan().ContainsAny('/', '\\', '\0') || System.IO.Path.IsPathRooted(file))
        {
            throw new CheckpointException($"'{Path}' says tensor '{tensor}' is in '{file}'; a shard must be the name of a file in the index's own folder.");
        }
    }
}
