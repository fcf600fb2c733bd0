namespace Llava.ModelCore.Checkpoints;

/// <summary>Reads CLIP's vision fields, or works them out where no config says them (spec 1.2, 2.11).</summary>
internal static class VisionConfigReader
{
    private const string Published = "openai/clip-vit-large-patch14";

    /// <summary>The tower of <c>vision_config</c>; the library's defaults for absent fields are those of ViT-B/32.</summary>
    /// <exception cref="CheckpointException">A field is out of range, or the tower is not CLIP's.</exception>
    public static VisionConfig Read(ConfigSection config)
    {
        config.Choice("model_type", "clip_vision_model", "clip");
        var read = new VisionConfig
        {
            HiddenSize = config.Integer("hidden_size", 768, max: 1_000_000),
            IntermediateSize = config.Integer("intermediate_size", 3072, max: 10_000_000),
            Layers = config.Integer("num_hidden_layers", 12, max: 10_000),
            Heads = config.Integer("num_attention_heads", 12, max: 4096),
            ImageSize = config.Integer("image_size", 224, max: 100_000),
            PatchSize = config.Integer("patch_size", 32, max: 100_000),
            NormEpsilon = config.Number("layer_norm_eps", 1e-5, 0, 1),
            UsesQuickGelu = config.Choice("hidden_act", "quick_gelu", "gelu") is not "gelu",
        };
        config.Integer("num_channels", 3, min: 3, max: 3);
        return read.HiddenSize % read.Heads != 0 ? throw config.Wrong("hidden_size", $"a multiple of num_attention_heads ({read.Heads})")
            : read.PatchSize > read.ImageSize ? throw config.Wrong("patch_size", $"at most image_size ({read.ImageSize})")
            : read;
    }

    /// <summary>The config of a tower's folder: a full CLIP config with vision_config, or a bare vision config.</summary>
    public static VisionConfig ReadFolder(string configFile)
    {
        var config = ConfigSection.Read(configFile);
        return Read(config.Section("vision_config") ?? config);
    }

    /// <summary>The tower llava-hf means when vision_config is absent: ViT-L/14-336.</summary>
    public static VisionConfig LargePatch14At336 { get; } = Large(336);

    /// <summary>The published towers, known by name; null for any other.</summary>
    public static VisionConfig? Known(string? name) => name switch
    {
        Published => Large(224),
        Published + "-336" => LargePatch14At336,
        _ => null,
    };

    /// <summary>Sizes from the shapes of the tower's tensors; heads are 64 wide in every published tower.</summary>
    /// <param name="tensors">Where the tower is.</param>
    /// <param name="prefix">What the tower's names start with.</param>
    public static VisionConfig Derive(ITensorSource tensors, string prefix)
    {
        var patch = Shape(tensors, $"{prefix}embeddings.patch_embedding.weight", 4);
        var positions = Shape(tensors, $"{prefix}embeddings.position_embedding.weight", 2);
        var layers = 0;
        while (tensors.TryGetEntry($"{prefix}encoder.layers.{layers}.mlp.fc1.weight", out _))
        {
            layers++;
        }

        var side = (int)Math.Round(Math.Sqrt(positions[0] - 1));
        return patch[0] % 64 == 0 && side * side == positions[0] - 1 && layers > 0
            ? new VisionConfig
            {
                HiddenSize = (int)patch[0],
                IntermediateSize = (int)Shape(tensors, $"{prefix}encoder.layers.0.mlp.fc1.weight", 2)[0],
                Layers = layers,
                Heads = (int)patch[0] / 64,
                ImageSize = side * (int)patch[2],
                PatchSize = (int)patch[2],
            }
            : throw new CheckpointException($"'{tensors.Path}' contains a vision tower whose sizes cannot be told from its shapes (hidden size {patch[0]}, {positions[0]} positions, {layers} layers). Put its config.json into the folder named by mm_vision_tower.");
    }

    private static IReadOnlyList<long> Shape(ITensorSource tensors, string name, int dimensions) =>
        tensors.TryGetEntry(name, out var entry) && entry.Shape.Count == dimensions
            ? entry.Shape
            : throw new CheckpointException($"'{tensors.Path}' contains a vision tower without '{name}' in {dimensions} dimensions, and no config.json says the tower's sizes.");

    private static VisionConfig Large(int imageSize) => new()
    {
        HiddenSize = 1024,
        IntermediateSize = 4096,
        Layers = 24,
        Heads = 16,
        ImageSize = imageSize,
        PatchSize = 14,
    };
}
