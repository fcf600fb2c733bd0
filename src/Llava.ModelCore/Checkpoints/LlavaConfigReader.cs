using System.Globalization;
using System.Text.RegularExpressions;
using Llava.ModelCore.Imaging;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>Puts a <see cref="LlavaConfig"/> together from config.json in each layout's own words.</summary>
internal static partial class LlavaConfigReader
{
    /// <summary>Upstream's config.json (spec 2.2).</summary>
    public static LlavaConfig Original(ConfigSection config, VisionConfig tower)
    {
        var language = LanguageModelConfigReader.Read(config);
        var vision = WithSelection(config, tower, "mm_vision_select_layer") with
        {
            KeepsClassToken = config.Choice("mm_vision_select_feature", "patch", "cls_patch") == "cls_patch",
        };
        var input = config.Integer("mm_hidden_size", vision.HiddenSize);
        var depth = ProjectorDepth(config);
        return input != vision.HiddenSize ? throw config.Wrong("mm_hidden_size", $"the vision tower's hidden size, {vision.HiddenSize}")
            : depth == 0 && input != language.HiddenSize ? throw config.Wrong("mm_projector_type", $"a projection: the tower is {input} wide, the language model {language.HiddenSize}")
            : new LlavaConfig
            {
                LanguageModel = language,
                Vision = vision,
                Projector = new ProjectorConfig { InputSize = input, OutputSize = language.HiddenSize, Depth = depth },
                ImageAspect = config.Choice("image_aspect_ratio", "square", "pad") == "pad" ? ImageAspect.Pad : ImageAspect.Square,
                UseImageStartEnd = config.Boolean("mm_use_im_start_end", false),
                UseImagePatchToken = config.Boolean("mm_use_im_patch_token", true),
                MaxSplicedPositions = config.OptionalInteger("tokenizer_model_max_length"),
                VisionTowerName = config.Text("mm_vision_tower"),
            };
    }

    /// <summary>llava-hf's config.json with text_config and vision_config (spec 2.11).</summary>
    /// <param name="config">config.json.</param>
    /// <param name="folder">The checkpoint, whose preprocessor_config.json says whether images are padded.</param>
    public static LlavaConfig Hf(ConfigSection config, string folder)
    {
        var text = TextSection(config);
        var language = LanguageModelConfigReader.Read(text);
        language = text.Has("vocab_size") ? language : language with { VocabularySize = config.Integer("vocab_size", language.VocabularySize) };
        var tower = config.Section("vision_config") is { } section ? VisionConfigReader.Read(section) : VisionConfigReader.LargePatch14At336;
        var vision = WithSelection(config, tower, "vision_feature_layer") with
        {
            KeepsClassToken = config.Choice("vision_feature_select_strategy", "default", "full") == "full",
        };
        config.Choice("projector_hidden_act", "gelu");
        return config.Boolean("multimodal_projector_bias", true)
            ? new LlavaConfig
            {
                LanguageModel = language,
                Vision = vision,
                Projector = new ProjectorConfig { InputSize = vision.HiddenSize, OutputSize = language.HiddenSize, Depth = 2 },
                ImageAspect = PadsImages(folder) ? ImageAspect.Pad : ImageAspect.Square,
                MaxSplicedPositions = config.OptionalInteger("tokenizer_model_max_length"),
            }
            : throw config.Wrong("multimodal_projector_bias", "true");
    }

    /// <summary>A decoder's config.json.</summary>
    public static LlavaConfig Plain(ConfigSection config) => new() { LanguageModel = LanguageModelConfigReader.Read(config) };

    /// <summary>The decoder's part of a llava-hf config; all of it where everything is left to defaults.</summary>
    public static ConfigSection TextSection(ConfigSection config) => config.Section("text_config") ?? config;

    /// <summary>Type the weights were saved in; null when the config does not say.</summary>
    public static ScalarType? StorageType(ConfigSection config)
    {
        var field = config.Has("torch_dtype") ? "torch_dtype" : "dtype";
        return config.Text(field)?.Replace("torch.", "", StringComparison.Ordinal) switch
        {
            "float16" => ScalarType.Float16,
            "bfloat16" => ScalarType.BFloat16,
            "float32" => ScalarType.Float32,
            "float64" => ScalarType.Float64,
            null => null,
            _ => throw config.Wrong(field, "float16, bfloat16, float32 or float64"),
        };
    }

    private static VisionConfig WithSelection(ConfigSection config, VisionConfig tower, string field)
    {
        var layers = config.Integers(field);
        return layers switch
        {
            [] => tower,
            [var layer] when layer >= -(tower.Layers + 1) && layer <= tower.Layers => tower with { SelectLayer = layer },
            _ => throw config.Wrong(field, $"one hidden state from {-(tower.Layers + 1)} to {tower.Layers} (the tower has {tower.Layers} layers)"),
        };
    }

    /// <summary>Absent means linear (spec 1.3).</summary>
    private static int ProjectorDepth(ConfigSection config) => config.Text("mm_projector_type") switch
    {
        null or "linear" => 1,
        "identity" => 0,
        { } type when Mlp().Match(type) is { Success: true } match
            && int.TryParse(match.Groups[1].Value, CultureInfo.InvariantCulture, out var depth) && depth is >= 1 and <= 100 => depth,
        _ => throw config.Wrong("mm_projector_type", "linear, identity or mlpNx_gelu with N from 1 to 100"),
    };

    /// <summary>The stock CLIP processor crops; only the newer LLaVA processor pads (spec 1.12).</summary>
    private static bool PadsImages(string folder)
    {
        var file = Path.Combine(folder, "preprocessor_config.json");
        return File.Exists(file) && ConfigSection.Read(file).Boolean("do_pad", false);
    }

    [GeneratedRegex(@"^mlp(\d{1,3})x_gelu$")]
    private static partial Regex Mlp();
}
