using Llava.ModelCore.Checkpoints.Quantized;

namespace Llava.ModelCore.Checkpoints.Partial;

/// <summary>
/// The weights of a folder: its own, or, where it holds only a part of a model (a LoRA adapter, a projector, a delta), those of its base with the part
/// applied as they are read. Whoever reads sees a whole model, and one tensor at a time is in memory.
/// </summary>
internal static class PartialWeights
{
    private const string AdapterConfig = "adapter_config.json";
    private const string ProjectorName = "mm_projector.bin";

    private const int MostParts = 8;

    /// <summary>The folder, and what it is to be put together with: its base, whose own base where that is an adapter too, and so on to a whole model.</summary>
    /// <exception cref="CheckpointException">A folder holds nothing, or a part whose base was not found.</exception>
    public static IReadOnlyList<string> Chain(string folder, CheckpointOptions options)
    {
        List<string> chain = [folder];
        while (FindBase(chain[^1], chain.Count == 1 ? options : new CheckpointOptions()) is { } start)
        {
            chain.Add(chain.Count < MostParts ? start : throw new CheckpointException($"'{folder}' is a part of a model on a part of a model, more than {MostParts} times: {string.Join(", ", chain.Select(c => $"'{c}'"))}. Merge it."));
        }

        return chain;
    }

    /// <summary>The base of a folder; null where its weights are whole.</summary>
    private static string? FindBase(string folder, CheckpointOptions options)
    {
        if (options.Base is { } named)
        {
            return Directory.Exists(named)
                ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(named))
                : throw new CheckpointException($"base '{named}' is not a folder. Give the folder of the model that '{folder}' belongs to.");
        }

        return IsAdapter(folder) ? FindNamed(folder, "a LoRA adapter", ConfigSection.Read(Path.Combine(folder, AdapterConfig)).Text("base_model_name_or_path"))
            : TensorContainer.FindIn(folder) is not null ? null
            : File.Exists(Path.Combine(folder, ProjectorName)) ? FindNamed(folder, "only a projector", ConfigSection.Read(Path.Combine(folder, "config.json")).Text("_name_or_path"))
            : throw new CheckpointException($"'{folder}' holds no weights: none of {string.Join(", ", [.. TensorContainer.FileNames, .. LoraAdapter.FileNames, ProjectorName])} is there.");
    }

    /// <summary>Opens the weights of a chain.</summary>
    /// <exception cref="CheckpointException">A file is damaged, or a part does not fit its base.</exception>
    public static ITensorSource Open(ReadOnlySpan<string> chain)
    {
        var folder = chain[0];
        if (chain.Length == 1)
        {
            return BitsAndBytesTensors.Over(TensorContainer.Open(TensorContainer.FindIn(folder)!));
        }

        var below = Open(chain[1..]);
        try
        {
            return IsAdapter(folder) ? Adapted(folder, below)
                : TensorContainer.FindIn(folder) is { } own ? new DeltaTensors(TensorContainer.Open(own), below)
                : new OverlaidTensors(below, OfProjector(TensorContainer.Open(Path.Combine(folder, ProjectorName)), below.TryGetEntry("transformer.wte.weight", out _) ? "transformer." : "model."));
        }
        catch
        {
            below.Dispose();
            throw;
        }
    }

    private static bool IsAdapter(string folder) => File.Exists(Path.Combine(folder, AdapterConfig));

    private static string FindNamed(string folder, string kind, string? name)
    {
        string[] candidates = string.IsNullOrEmpty(name) ? [] :
        [
            .. new[] { Path.Combine(folder, name), Path.Combine(folder, "..", name), Path.Combine(folder, "..", Path.GetFileName(name.TrimEnd('/', '\\'))) }
                .Select(Path.GetFullPath).Distinct(StringComparer.Ordinal),
        ];
        return candidates.FirstOrDefault(candidate => TensorContainer.FindIn(candidate) is not null || IsAdapter(candidate))
            ?? throw new CheckpointException($"'{folder}' holds {kind} for base model '{name}', not a whole model, and the base was not found. Tried: {string.Join(", ", candidates.Select(c => $"'{c}'"))}. Put it into one of these, or name its folder as base.");
    }

    private static LoraTensors Adapted(string folder, ITensorSource below)
    {
        var adapter = LoraAdapter.Open(folder);
        try
        {
            return new LoraTensors(LoraAdapter.TrainedBeside(folder) is { } path ? new OverlaidTensors(below, OfTrained(TensorContainer.Open(path))) : below, adapter);
        }
        catch
        {
            adapter.Dispose();
            throw;
        }
    }

    /// <summary>What was trained beside the adapter: peft's prefixes are taken off (spec 2.7).</summary>
    private static RenamedTensors OfTrained(ITensorSource file)
    {
        var names = file.Entries.ToDictionary(entry => entry.Name, entry => Without(entry.Name, "base_model."));
        var isNested = names.Values.Any(name => name.StartsWith("model.model.", StringComparison.Ordinal));
        return new(file, name => isNested ? Without(names[name], "model.") : names[name]);
    }

    /// <summary>A projector's file may name its tensors in several ways; what counts follows <c>mm_projector.</c> (spec 2.6).</summary>
    private static RenamedTensors OfProjector(ITensorSource file, string decoder) => new(file, name =>
        name.IndexOf("mm_projector.", StringComparison.Ordinal) is >= 0 and var at ? decoder + name[at..] : name);

    private static string Without(string name, string prefix) => name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;
}
