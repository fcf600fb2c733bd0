using System.Text.Json;
using System.Text.Json.Nodes;
using Llava.ModelCore.Imaging;

namespace Llava.ModelCore.Checkpoints.HuggingFace;

/// <summary>The JSON files of a checkpoint in llava-hf's layout (spec 2.11). config.json comes last: a folder without it was not finished.</summary>
internal static class HfJson
{
    private const string Processor = "LlavaProcessor";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes all of them but the tokenizer's.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="config">The model, with the rows that its tables have here.</param>
    /// <param name="words">Tokens that can be generated; the image's and the padding's follow.</param>
    /// <param name="options">How the original layout would be written.</param>
    /// <param name="template">Conversation template the model was trained with; a field of ours, which others ignore.</param>
    public static void Write(string folder, LlavaConfig config, int words, CheckpointWriteOptions options, string? template)
    {
        options.Generation = options.Generation with { PadToken = words + 1 };
        Write("generation_config.json", CheckpointJson.Generation(options.Generation));
        Write("processor_config.json", new()
        {
            ["image_token"] = "<image>",
            ["num_additional_image_tokens"] = 1,
            ["patch_size"] = config.Vision!.PatchSize,
            ["processor_class"] = Processor,
            ["vision_feature_select_strategy"] = Strategy(config.Vision),
        });
        Write("preprocessor_config.json", Preprocessor(config, options));
        Write("config.json", Config(config, config.Vision, words, options, template));

        void Write(string file, JsonObject json) => TensorWriting.WriteWhole(Path.Combine(folder, file), stream => JsonSerializer.Serialize(stream, json, Indented));
    }

    private static JsonObject Config(LlavaConfig config, VisionConfig vision, int words, CheckpointWriteOptions options, string? template)
    {
        var text = CheckpointJson.Config(config with { Vision = null, Projector = null }, options);
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray("LlavaForConditionalGeneration"),
            ["model_type"] = "llava",
            ["ignore_index"] = -100,
            ["image_seq_length"] = vision.Features,
            ["image_token_index"] = words,
            ["multimodal_projector_bias"] = true,
            ["pad_token_id"] = words + 1,
            ["projector_hidden_act"] = "gelu",
            ["tie_word_embeddings"] = config.LanguageModel.TieEmbeddings,
            ["torch_dtype"] = text["torch_dtype"]!.DeepClone(),
            ["vision_feature_layer"] = -1,
            ["vision_feature_select_strategy"] = Strategy(vision),
            ["vocab_size"] = config.LanguageModel.VocabularySize,
            ["text_config"] = text,
            ["vision_config"] = CheckpointJson.Tower(vision, options.StorageType),
        };
        if (template is not null)
        {
            json["conversation_template"] = template;
        }

        if (config.MaxSplicedPositions is { } length)
        {
            json["tokenizer_model_max_length"] = length;
        }

        return json;
    }

    /// <summary>The stock CLIP processor crops; LLaVA's own pads.</summary>
    private static JsonObject Preprocessor(LlavaConfig config, CheckpointWriteOptions options)
    {
        var json = options.PreprocessorConfig is { } path ? (JsonObject)JsonNode.Parse(File.ReadAllText(path))! : CheckpointJson.Preprocessor(config.Vision!.ImageSize);
        var pads = config.ImageAspect == ImageAspect.Pad;
        json["do_pad"] = pads;
        json["image_processor_type"] = pads ? "LlavaImageProcessor" : "CLIPImageProcessor";
        json["processor_class"] = Processor;
        return json;
    }

    private static string Strategy(VisionConfig vision) => vision.KeepsClassToken ? "full" : "default";
}
