using System.Text.Json;
using System.Text.Json.Nodes;
using Llava.ModelCore.Checkpoints.Quantized;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>
/// Writes a complete model folder in the original LLaVA layout. config.json comes last: a folder without it was not finished.
/// </summary>
public static class LlavaCheckpointWriter
{
    private static readonly string[] TokenizerFiles =
    [
        "tokenizer.model", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json",
    ];

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes weights, tokenizer and configs.</summary>
    /// <param name="folder">Made if need be; must not hold weights yet.</param>
    /// <param name="config">The model.</param>
    /// <param name="read">Gives a parameter by its name in our own layout (<see cref="ModelParameters"/>).</param>
    /// <param name="options">Types, places and what to copy.</param>
    /// <exception cref="CheckpointException">The folder holds weights, or a parameter has the wrong shape.</exception>
    public static void Write(string folder, LlavaConfig config, Func<string, Tensor> read, CheckpointWriteOptions options)
    {
        RequireNoWeights(folder);
        var hasTower = config.Vision is not null && options.VisionTower != VisionTowerPlacement.Omitted;
        Require(config, hasTower);
        Directory.CreateDirectory(folder);
        var names = LayoutNames.Of(config.Vision is null ? CheckpointLayout.PlainLanguageModel : CheckpointLayout.LlavaOriginal, isMpt: config.LanguageModel.Mpt is not null);
        var inside = hasTower && options.VisionTower == VisionTowerPlacement.Inside ? config.Vision : null;
        WriteWeights(folder, config with { Vision = inside }, ModelParameters.Of(config with { Vision = inside }), names, read, options);
        if (hasTower)
        {
            WriteTower(Path.Combine(folder, CheckpointJson.TowerFolder), config, read, options);
        }

        CopyTokenizer(options.TokenizerFolder, folder);
        WriteJson(Path.Combine(folder, "generation_config.json"), CheckpointJson.Generation(options.Generation));
        WriteJson(Path.Combine(folder, "config.json"), CheckpointJson.Config(config, options));
    }

    /// <summary>Writes the projector alone, as stage 1 leaves it: a torch archive for .bin (what the original's loader reads), safetensors otherwise.</summary>
    /// <param name="path">For example mm_projector.bin.</param>
    /// <param name="config">The projector.</param>
    /// <param name="read">Gives a parameter by its name in our own layout.</param>
    /// <param name="type">Type of the weights.</param>
    /// <param name="prefix">What the names begin with, as peft's do.</param>
    public static void WriteProjector(string path, ProjectorConfig config, Func<string, Tensor> read, ScalarType type, string prefix = "")
    {
        var names = LayoutNames.Of(CheckpointLayout.LlavaOriginal);
        var ours = ModelParameters.OfProjector(config).ToDictionary(p => prefix + names.InFile(p.Name, config.Depth));
        TensorEntry[] entries = [.. ours.Select(p => new TensorEntry(p.Key, type, p.Value.Shape))];
        Action<string, IReadOnlyList<TensorEntry>, Func<string, Tensor>> write =
            path.EndsWith(".bin", StringComparison.OrdinalIgnoreCase) ? TorchArchiveWriter.Write : SafeTensorsWriter.Write;
        write(path, entries, name => read(ours[name].Name));
    }

    /// <summary>Refuses to write over a checkpoint.</summary>
    /// <exception cref="CheckpointException">The folder holds weights.</exception>
    internal static void RequireNoWeights(string folder)
    {
        if (Directory.Exists(folder) && TensorContainer.FindIn(folder) is { } weights)
        {
            throw new CheckpointException($"'{folder}' already holds weights ('{Path.GetFileName(weights)}'). Choose an empty folder, or remove them first.");
        }
    }

    private static void Require(LlavaConfig config, bool hasTower)
    {
        if (config.Vision is not null && !hasTower && string.IsNullOrEmpty(config.VisionTowerName))
        {
            throw new CheckpointException("The model's config names no vision tower, so a checkpoint without it could not be opened. Write the tower inside or beside it.");
        }
    }

    private static void WriteWeights(
        string folder, LlavaConfig config, IEnumerable<ModelParameter> parameters, LayoutNames names, Func<string, Tensor> read, CheckpointWriteOptions options)
    {
        var packed = options.Packed;
        var ours = parameters.Where(p => packed?.Header.Holds(p) != true).ToDictionary(p => names.InFile(p.Name, config.Projector?.Depth ?? 0));
        List<TensorEntry> entries =
        [
            .. packed is null ? [] : packed.Entries.Select(entry => entry with { Name = PackedHeader.Prefix + entry.Name }),
            .. Fused(ours.Select(p => new TensorEntry(p.Key, packed?.TypeOf(p.Value) ?? options.TypeOf?.Invoke(p.Value) ?? options.StorageType, p.Value.Shape)), names),
            .. config.Vision is null ? [] : PostNorm(config.Vision, names.Vision, options.StorageType),
        ];
        SafeTensorsWriter.WriteFolder(folder, entries, Read, options.ShardBytes);

        Tensor Read(string name) => ours.TryGetValue(name, out var parameter) ? read(parameter.Name)
            : packed is not null && name.StartsWith(PackedHeader.Prefix, StringComparison.Ordinal) ? packed.Read(name[PackedHeader.Prefix.Length..])
            : name.EndsWith(FusedProjections.Fused, StringComparison.Ordinal) ? cat([.. FusedProjections.Parts.Select(part => read(ours[name[..^FusedProjections.Fused.Length] + part].Name))], 0)
            : Identity(name, config.Vision!);
    }

    /// <summary>MPT's queries, keys and values are one tensor in a file.</summary>
    private static IEnumerable<TensorEntry> Fused(IEnumerable<TensorEntry> entries, LayoutNames names) => !names.IsMpt ? entries : entries
        .GroupBy(entry => FusedProjections.FusedName(entry.Name) ?? entry.Name)
        .Select(parts => parts.First() with { Name = parts.Key, Shape = [parts.Sum(part => part.Shape[0]), .. parts.First().Shape.Skip(1)] });

    private static void WriteTower(string folder, LlavaConfig config, Func<string, Tensor> read, CheckpointWriteOptions options)
    {
        var vision = config.Vision!;
        Directory.CreateDirectory(folder);
        if (options.VisionTower == VisionTowerPlacement.Beside)
        {
            WriteWeights(folder, config, ModelParameters.OfVisionTower(vision), LayoutNames.Of(CheckpointLayout.LlavaOriginal, "vision_model."), read, options);
        }

        if (options.PreprocessorConfig is { } preprocessor)
        {
            File.Copy(preprocessor, Path.Combine(folder, "preprocessor_config.json"), overwrite: true);
        }
        else
        {
            WriteJson(Path.Combine(folder, "preprocessor_config.json"), CheckpointJson.Preprocessor(vision.ImageSize));
        }

        WriteJson(Path.Combine(folder, "config.json"), CheckpointJson.Tower(vision, options.StorageType));
    }

    /// <summary>The tower's last norm, which LLaVA never uses but a strict loader of CLIP asks for.</summary>
    internal static TensorEntry[] PostNorm(VisionConfig vision, string prefix, ScalarType type) =>
    [
        new($"{prefix}post_layernorm.weight", type, [vision.HiddenSize]),
        new($"{prefix}post_layernorm.bias", type, [vision.HiddenSize]),
    ];

    /// <summary>What a tensor of that norm is filled with: it changes nothing.</summary>
    internal static Tensor Identity(string name, VisionConfig vision) =>
        name.EndsWith(".weight", StringComparison.Ordinal) ? ones(vision.HiddenSize) : zeros(vision.HiddenSize);

    /// <summary>Copies the files of a tokenizer that are there.</summary>
    internal static void CopyTokenizer(string? from, string folder)
    {
        foreach (var file in TokenizerFiles.Where(file => from is not null && File.Exists(Path.Combine(from, file))))
        {
            File.Copy(Path.Combine(from!, file), Path.Combine(folder, file), overwrite: true);
        }
    }

    private static void WriteJson(string path, JsonObject json) =>
        TensorWriting.WriteWhole(path, stream => JsonSerializer.Serialize(stream, json, Indented));
}
