using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints.Partial;

/// <summary>The low-rank factors of one linear layer: W + scaling·B·A (Hu et al. 2021).</summary>
/// <param name="Weight">Name of the layer's weight.</param>
/// <param name="A">Tensor of shape (rank, inputs), as the file names it.</param>
/// <param name="B">Tensor of shape (outputs, rank), as the file names it.</param>
/// <param name="Scaling">lora_alpha / rank, or lora_alpha / √rank with <c>use_rslora</c>.</param>
internal sealed record LoraPair(string Weight, TensorEntry A, TensorEntry B, double Scaling);

/// <summary>An adapter as peft saves it: adapter_config.json and adapter_model (spec 2.7).</summary>
internal sealed class LoraAdapter : IDisposable
{
    private const string Prefix = "base_model.model.";
    private const string ConfigName = "adapter_config.json";

    private readonly ITensorSource _file;

    private LoraAdapter(ITensorSource file, IReadOnlyList<LoraPair> pairs) => (_file, Pairs) = (file, pairs);

    /// <summary>File names of an adapter's tensors, in the order they are looked for.</summary>
    public static IReadOnlyList<string> FileNames { get; } = ["adapter_model.safetensors", "adapter_model.bin"];

    /// <summary>The file.</summary>
    public string Path => _file.Path;

    /// <summary>Every adapted layer.</summary>
    public IReadOnlyList<LoraPair> Pairs { get; }

    /// <summary>The file with what was trained beside the adapter, normally the projector; null when there is none.</summary>
    public static string? TrainedBeside(string folder) =>
        ((string[])["non_lora_trainables.safetensors", "non_lora_trainables.bin"]).Select(name => System.IO.Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>Opens an adapter's folder.</summary>
    /// <exception cref="CheckpointException">The adapter is of a kind that is not a plain LoRA, or is damaged.</exception>
    public static LoraAdapter Open(string folder)
    {
        var config = ConfigSection.Read(System.IO.Path.Combine(folder, ConfigName));
        RefuseOtherKinds(config);
        var path = FileNames.Select(name => System.IO.Path.Combine(folder, name)).FirstOrDefault(File.Exists)
            ?? throw new CheckpointException($"'{folder}' holds adapter_config.json but none of {string.Join(", ", FileNames)}.");
        var file = TensorContainer.Open(path);
        try
        {
            return new(file, Match(file, config));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A copy of a factor on the CPU, float32; the caller owns it.</summary>
    public Tensor Read(TensorEntry factor)
    {
        using var read = _file.Read(factor.Name);
        return read.to(ScalarType.Float32, copy: true);
    }

    public void Dispose() => _file.Dispose();

    private static void RefuseOtherKinds(ConfigSection config)
    {
        if (!string.Equals(config.Text("peft_type"), "LORA", StringComparison.OrdinalIgnoreCase))
        {
            throw config.Wrong("peft_type", "\"LORA\"; adapters of other kinds are not supported");
        }

        foreach (var (name, why) in (ReadOnlySpan<(string, string)>)[("use_dora", "DoRA is not supported"), ("fan_in_fan_out", "weights are stored (outputs, inputs) here")])
        {
            if (config.Boolean(name, false))
            {
                throw config.Wrong(name, $"false: {why}");
            }
        }

        if (config.Text("bias") is not (null or "none"))
        {
            throw config.Wrong("bias", "\"none\": the layers of these models have no biases to train");
        }

        foreach (var name in (ReadOnlySpan<string>)["rank_pattern", "alpha_pattern"])
        {
            if (config.Section(name) is { IsEmpty: false })
            {
                throw config.Wrong(name, "empty: one rank and one alpha for all layers");
            }
        }
    }

    private static List<LoraPair> Match(ITensorSource file, ConfigSection config)
    {
        var rank = config.Integer("r", 8);
        var alpha = config.Number("lora_alpha", 8, 0, 1e6);
        var scaling = config.Boolean("use_rslora", false) ? alpha / Math.Sqrt(rank) : alpha / rank;
        Dictionary<string, TensorEntry> a = [], b = [];
        foreach (var entry in file.Entries)
        {
            var name = (entry.Name.StartsWith(Prefix, StringComparison.Ordinal) ? entry.Name[Prefix.Length..] : entry.Name).Replace(".default.", ".", StringComparison.Ordinal);
            var isAdded = name.EndsWith(".lora_A.weight", StringComparison.Ordinal) ? a.TryAdd(name[..^".lora_A.weight".Length], entry)
                : name.EndsWith(".lora_B.weight", StringComparison.Ordinal) && b.TryAdd(name[..^".lora_B.weight".Length], entry);
            if (!isAdded)
            {
                throw new CheckpointException($"'{file.Path}' holds '{entry.Name}', which is not a low-rank factor ('….lora_A.weight' or '….lora_B.weight') or is there twice.");
            }
        }

        return [.. a.Keys.Union(b.Keys).Select(layer =>
            a.TryGetValue(layer, out var down) && b.TryGetValue(layer, out var up) && down.Shape.Count == 2 && up.Shape.Count == 2 && down.Shape[0] == rank && up.Shape[1] == rank
                ? new LoraPair(layer + ".weight", down, up, scaling)
                : throw new CheckpointException($"'{file.Path}' does not hold two factors of rank {rank} for '{layer}': A is {Shape(down)}, B is {Shape(b.GetValueOrDefault(layer))}."))];

        static string Shape(TensorEntry? entry) => entry is null ? "missing" : $"[{string.Join(", ", entry.Shape)}]";
    }
}
