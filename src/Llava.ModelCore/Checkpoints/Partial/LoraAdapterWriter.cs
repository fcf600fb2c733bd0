using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints.Partial;

/// <summary>Writes an adapter's folder as the original and peft 0.4.0 write it (spec 2.7), with a config.json of the whole model.</summary>
internal static class LoraAdapterWriter
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes config.json, adapter_config.json, adapter_model.bin and non_lora_trainables.bin.</summary>
    /// <param name="folder">An empty folder.</param>
    /// <param name="config">The whole model.</param>
    /// <param name="settings">Base, rank and strength.</param>
    /// <param name="factors">The factors, (rank, inputs) and (outputs, rank), by the adapted layer's name in our own layout.</param>
    /// <param name="projector">Gives the projector's parameters, which were trained beside the adapter, by name in our own layout; null when they were not.</param>
    /// <param name="options">Types and template.</param>
    public static void Write(
        string folder, LlavaConfig config, LoraSettings settings, IReadOnlyDictionary<string, (Tensor A, Tensor B)> factors, Func<string, Tensor>? projector, CheckpointWriteOptions options)
    {
        var names = LayoutNames.Of(CheckpointLayout.LlavaOriginal);
        Dictionary<string, Tensor> tensors = [];
        foreach (var (layer, (a, b)) in factors)
        {
            var name = "base_model.model." + names.InFile(layer, projectorDepth: 0);
            (tensors[name + ".lora_A.weight"], tensors[name + ".lora_B.weight"]) = (a, b);
        }

        // Adapters are small, and what is lost to bf16 in a factor is lost twice in the product.
        TorchArchiveWriter.Write(Path.Combine(folder, "adapter_model.bin"), [.. tensors.Select(t => new TensorEntry(t.Key, ScalarType.Float32, t.Value.shape))], name => tensors[name]);
        if (projector is not null)
        {
            LlavaCheckpointWriter.WriteProjector(Path.Combine(folder, "non_lora_trainables.bin"), config.Projector!, projector, ScalarType.Float32, "base_model.model.");
        }

        Write("adapter_config.json", AdapterConfig(settings, factors.Keys));
        var json = CheckpointJson.Config(config, options);
        json["_name_or_path"] = settings.Base;
        Write("config.json", json);

        void Write(string file, JsonObject content) => TensorWriting.WriteWhole(Path.Combine(folder, file), stream => JsonSerializer.Serialize(stream, content, Indented));
    }

    private static JsonObject AdapterConfig(LoraSettings settings, IEnumerable<string> layers) => new()
    {
        ["auto_mapping"] = null,
        ["base_model_name_or_path"] = settings.Base,
        ["bias"] = "none",
        ["fan_in_fan_out"] = false,
        ["inference_mode"] = true,
        ["init_lora_weights"] = true,
        ["layers_pattern"] = null,
        ["layers_to_transform"] = null,
        ["lora_alpha"] = settings.Alpha,
        ["lora_dropout"] = settings.Dropout,
        ["modules_to_save"] = null,
        ["peft_type"] = "LORA",
        ["r"] = settings.Rank,
        ["revision"] = null,
        ["target_modules"] = new JsonArray([.. layers.Select(layer => layer[(layer.LastIndexOf('.') + 1)..]).Distinct().Order(StringComparer.Ordinal).Select(name => JsonValue.Create(name))]),
        ["task_type"] = "CAUSAL_LM",
    };
}

/// <summary>What an adapter's config says of it.</summary>
/// <param name="Base">Folder of the base.</param>
/// <param name="Rank">Width between the factors.</param>
/// <param name="Alpha">Strength; the scaling is alpha / rank.</param>
/// <param name="Dropout">Share of the inputs left out in training.</param>
internal sealed record LoraSettings(string Base, int Rank, double Alpha, double Dropout);
