using System.Text.Json.Nodes;
using Llava.ModelCore.Imaging;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>The JSON files of a checkpoint in the original layout (spec 2.2, 7.9), as the original's loader expects them.</summary>
internal static class CheckpointJson
{
    /// <summary>Folder of a written vision tower, relative to the checkpoint.</summary>
    public const string TowerFolder = "vision_tower";

    public static JsonObject Config(LlavaConfig config, CheckpointWriteOptions options)
    {
        var json = config.LanguageModel.Mpt is { } mpt ? Mpt(config, mpt, options) : Llama(config, options);
        if (config.Vision is not null && config.Projector is not null)
        {
            AddMultimodal(json, config, config.Vision, config.Projector, options);
        }

        if (options.Packed is { } packed)
        {
            json["quantization_config"] = packed.Header.ToJson(config.LanguageModel);
        }

        return json;
    }

    public static JsonObject Generation(GenerationDefaults defaults)
    {
        var json = new JsonObject
        {
            ["bos_token_id"] = defaults.BeginToken,
            ["eos_token_id"] = EndTokens(defaults),
            ["pad_token_id"] = defaults.PadToken,
            ["max_new_tokens"] = defaults.MaxNewTokens,
            ["repetition_penalty"] = defaults.RepetitionPenalty,
            ["choice_temperature"] = defaults.ChoiceTemperature,
        };
        // The library refuses to save a model whose file names sampling values without do_sample (spec 2.2).
        if (defaults.Samples != false && (defaults.Temperature ?? defaults.TopP ?? defaults.TopK) is not null)
        {
            json["do_sample"] = true;
            json["temperature"] = defaults.Temperature;
            json["top_p"] = defaults.TopP;
            json["top_k"] = defaults.TopK;
        }

        return new JsonObject(json.Where(p => p.Value is not null).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())));
    }

    /// <summary>A CLIPVisionModel with just the layers that count; the feature is then its last hidden state.</summary>
    public static JsonObject Tower(VisionConfig vision, ScalarType type) => new()
    {
        ["architectures"] = new JsonArray("CLIPVisionModel"),
        ["model_type"] = "clip_vision_model",
        ["hidden_act"] = vision.UsesQuickGelu ? "quick_gelu" : "gelu",
        ["hidden_size"] = vision.HiddenSize,
        ["image_size"] = vision.ImageSize,
        ["intermediate_size"] = vision.IntermediateSize,
        ["layer_norm_eps"] = vision.NormEpsilon,
        ["num_attention_heads"] = vision.Heads,
        ["num_channels"] = 3,
        ["num_hidden_layers"] = vision.LayersUsed,
        ["patch_size"] = vision.PatchSize,
        ["torch_dtype"] = TypeName(type),
    };

    /// <summary>CLIP's preprocessing (spec 4.1) at the tower's size.</summary>
    public static JsonObject Preprocessor(int size) => new()
    {
        ["crop_size"] = new JsonObject { ["height"] = size, ["width"] = size },
        ["do_center_crop"] = true,
        ["do_convert_rgb"] = true,
        ["do_normalize"] = true,
        ["do_rescale"] = true,
        ["do_resize"] = true,
        ["image_mean"] = new JsonArray(0.48145466, 0.4578275, 0.40821073),
        ["image_processor_type"] = "CLIPImageProcessor",
        ["image_std"] = new JsonArray(0.26862954, 0.26130258, 0.27577711),
        ["resample"] = 3,
        ["rescale_factor"] = 1 / 255.0,
        ["size"] = new JsonObject { ["shortest_edge"] = size },
    };

    private static JsonObject Llama(LlavaConfig config, CheckpointWriteOptions options)
    {
        var model = config.LanguageModel;
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(config.Vision is null ? "LlamaForCausalLM" : "LlavaLlamaForCausalLM"),
            ["model_type"] = config.Vision is null ? "llama" : "llava_llama",
            ["bos_token_id"] = options.Generation.BeginToken,
            ["eos_token_id"] = EndTokens(options.Generation),
            ["pad_token_id"] = options.Generation.PadToken,
            ["hidden_act"] = "silu",
            ["hidden_size"] = model.HiddenSize,
            ["initializer_range"] = 0.02,
            ["intermediate_size"] = model.IntermediateSize,
            ["max_position_embeddings"] = model.MaxPositions,
            ["num_attention_heads"] = model.Heads,
            ["num_hidden_layers"] = model.Layers,
            ["num_key_value_heads"] = model.KeyValueHeads,
            ["pretraining_tp"] = 1,
            ["rms_norm_eps"] = model.NormEpsilon,
            ["rope_scaling"] = model.RopeScaling is { } scaling
                ? new JsonObject { ["type"] = scaling.Kind == RopeScalingKind.Linear ? "linear" : "dynamic", ["factor"] = scaling.Factor }
                : null,
            ["rope_theta"] = model.RopeTheta,
            ["tie_word_embeddings"] = model.TieEmbeddings,
            ["torch_dtype"] = TypeName(options.StorageType),
            ["use_cache"] = true,
            ["vocab_size"] = model.VocabularySize,
        };
        if (model.HeadSize * model.Heads != model.HiddenSize)
        {
            json["head_dim"] = model.HeadSize;
        }

        return json;
    }

    private static JsonObject Mpt(LlavaConfig config, MptSettings mpt, CheckpointWriteOptions options)
    {
        var model = config.LanguageModel;
        return new JsonObject
        {
            ["architectures"] = new JsonArray(config.Vision is null ? "MPTForCausalLM" : "LlavaMPTForCausalLM"),
            ["model_type"] = config.Vision is null ? "mpt" : "llava_mpt",
            ["bos_token_id"] = options.Generation.BeginToken,
            ["eos_token_id"] = EndTokens(options.Generation),
            ["pad_token_id"] = options.Generation.PadToken,
            ["attn_config"] = new JsonObject
            {
                ["alibi"] = true,
                ["alibi_bias_max"] = mpt.AlibiBiasMax,
                ["attn_impl"] = "torch",
                ["attn_type"] = "multihead_attention",
                ["clip_qkv"] = mpt.ClipQkv,
                ["softmax_scale"] = mpt.SoftmaxScale,
            },
            ["d_model"] = model.HiddenSize,
            ["hidden_size"] = model.HiddenSize,
            ["expansion_ratio"] = model.IntermediateSize / model.HiddenSize,
            ["logit_scale"] = mpt.LogitScale,
            ["max_seq_len"] = model.MaxPositions,
            ["n_heads"] = model.Heads,
            ["n_layers"] = model.Layers,
            ["no_bias"] = true,
            ["norm_type"] = "low_precision_layernorm",
            ["torch_dtype"] = TypeName(options.StorageType),
            ["use_cache"] = true,
            ["vocab_size"] = model.VocabularySize,
        };
    }

    private static void AddMultimodal(JsonObject json, LlavaConfig config, VisionConfig vision, ProjectorConfig projector, CheckpointWriteOptions options)
    {
        var isWritten = options.VisionTower != VisionTowerPlacement.Omitted;
        json["freeze_mm_mlp_adapter"] = false;
        json["image_aspect_ratio"] = config.ImageAspect == ImageAspect.Pad ? "pad" : "square";
        json["image_grid_pinpoints"] = null;
        json["mm_hidden_size"] = projector.InputSize;
        json["mm_patch_merge_type"] = "flat";
        json["mm_projector_type"] = projector.Depth switch { 0 => "identity", 1 => "linear", _ => $"mlp{projector.Depth}x_gelu" };
        json["mm_projector_lr"] = null;
        json["mm_use_im_patch_token"] = config.UseImagePatchToken;
        json["mm_use_im_start_end"] = config.UseImageStartEnd;
        json["mm_vision_select_feature"] = vision.KeepsClassToken ? "cls_patch" : "patch";
        json["mm_vision_select_layer"] = isWritten ? -1 : vision.SelectLayer;
        json["mm_vision_tower"] = isWritten ? TowerFolder : config.VisionTowerName;
        json["tokenizer_padding_side"] = "right";
        json["tune_mm_mlp_adapter"] = options.OnlyProjectorTrained;
        json["unfreeze_mm_vision_tower"] = options.VisionTower == VisionTowerPlacement.Inside;
        json["use_mm_proj"] = true;
        if (options.ConversationTemplate is { } template)
        {
            json["conversation_template"] = template;
        }

        if (config.MaxSplicedPositions is { } length)
        {
            json["tokenizer_model_max_length"] = length;
        }
    }

    private static JsonNode? EndTokens(GenerationDefaults defaults) => defaults.EndTokens switch
    {
        [] => null,
        [var only] => only,
        var several => new JsonArray([.. several.Select(id => JsonValue.Create(id))]),
    };

    private static string TypeName(ScalarType type) => type switch
    {
        ScalarType.Float16 => "float16",
        ScalarType.BFloat16 => "bfloat16",
        ScalarType.Float32 => "float32",
        _ => throw new CheckpointException($"Weights cannot be written as {type}; choose Float16, BFloat16 or Float32."),
    };
}
