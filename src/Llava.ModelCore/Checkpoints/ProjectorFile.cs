namespace Llava.ModelCore.Checkpoints;

/// <summary>
/// A file with a projector's weights alone, as stage 1 leaves it: every key that contains <c>mm_projector.</c> counts, by what
/// follows it (spec 2.6, first reader). Strict: nothing missing, nothing over, every shape right.
/// </summary>
public sealed class ProjectorFile : IDisposable
{
    private const string Marker = "mm_projector.";

    private readonly ITensorSource _source;

    private ProjectorFile(ITensorSource source, IReadOnlyList<CheckpointTensor> tensors) => (_source, Tensors) = (source, tensors);

    /// <summary>Every parameter of the projector with the tensor that fills it.</summary>
    public IReadOnlyList<CheckpointTensor> Tensors { get; }

    /// <summary>Opens a safetensors file or a torch archive.</summary>
    /// <exception cref="CheckpointException">The file does not fit the projector.</exception>
    public static ProjectorFile Open(string path, ProjectorConfig config)
    {
        var source = TensorContainer.Open(path);
        try
        {
            return new ProjectorFile(source, Match(source, config));
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    private static List<CheckpointTensor> Match(ITensorSource source, ProjectorConfig config)
    {
        var names = LayoutNames.Of(CheckpointLayout.LlavaOriginal) with { Projector = "" };
        var entries = new Dictionary<string, TensorEntry>(StringComparer.Ordinal);
        foreach (var entry in source.Entries.Where(e => e.Name.Contains(Marker, StringComparison.Ordinal)))
        {
            var name = entry.Name[(entry.Name.IndexOf(Marker, StringComparison.Ordinal) + Marker.Length)..];
            if (!entries.TryAdd(name, entry))
            {
                throw new CheckpointException($"'{source.Path}' holds two tensors for the projector's '{name}': '{entries[name].Name}' and '{entry.Name}'.");
            }
        }

        var matched = new List<CheckpointTensor>();
        foreach (var parameter in ModelParameters.OfProjector(config))
        {
            var name = names.InFile(parameter.Name, config.Depth);
            if (!entries.Remove(name, out var entry) || !entry.Shape.SequenceEqual(parameter.Shape))
            {
                throw new CheckpointException($"'{source.Path}' does not fit the model's projector: '{Marker}{name}' must have shape [{string.Join(", ", parameter.Shape)}], {(entry is null ? "but is missing" : $"found [{string.Join(", ", entry.Shape)}]")}. A projector belongs to the language model and tower it was trained with.");
            }

            matched.Add(new CheckpointTensor(parameter, entry, source.Path, source.Read));
        }

        return entries.Count == 0 ? matched : throw new CheckpointException(
            $"'{source.Path}' has more than the model's projector of {config.Depth} layers: '{entries.Values.First().Name}'. The projector types differ.");
    }
}
