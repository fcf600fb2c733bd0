using System.Text.Json.Nodes;
using Llava.ModelCore.Quantization;

namespace Llava.ModelCore.Checkpoints.Quantized;

/// <summary>
/// What a checkpoint of our own packed weights says of itself, in config.json's <c>quantization_config</c>. Projections and head are in the layout that
/// our kernels read, the same on every machine, under names that begin with <see cref="Prefix"/>, and so are the linear layers of vision tower and projector
/// where the scheme rounds images; embeddings, norms and biases are tensors like any other's.
/// </summary>
/// <param name="Scheme">How the weights are kept.</param>
public sealed record PackedHeader(QuantizationScheme Scheme)
{
    /// <summary>Start of the packed matrices' names.</summary>
    internal const string Prefix = "packed.";

    private const string Method = "llava-packed";

    // Raised when the layout of the matrices changes.
    private const int Version = 2;

    private static readonly string[] Suffixes = ["proj.weight", "lm_head.weight"];

    /// <summary>The header of a config; null where it is none of ours.</summary>
    /// <exception cref="CheckpointException">It is ours, but of a kind that this version does not know.</exception>
    internal static PackedHeader? Of(ConfigSection config)
    {
        if (config.Section("quantization_config") is not { } section || section.Text("quant_method") != Method)
        {
            return null;
        }

        var version = section.Integer("version", 0, min: 0);
        return version != Version ? throw section.Wrong("version", $"{Version}: the file was packed by another version of this program. Quantize the checkpoint that it was made from again")
            : Enum.TryParse<QuantizationScheme>(section.Text("scheme"), ignoreCase: true, out var scheme) && QuantizationSchemes.OnCpu.Contains(scheme) && scheme != QuantizationScheme.None ? new(scheme)
            : throw section.Wrong("scheme", string.Join(", ", QuantizationSchemes.OnCpu.Where(one => one != QuantizationScheme.None).Select(QuantizationSchemes.Word)));
    }

    /// <summary>Whether a parameter is in a packed matrix.</summary>
    internal bool Holds(ModelParameter parameter) => HoldsLanguage(parameter) || (Scheme.RoundsActivations() && ModelParameters.IsImageMatrix(parameter));

    /// <summary>Whether a parameter is in a packed matrix of the language model, which every scheme has.</summary>
    internal static bool HoldsLanguage(ModelParameter parameter) =>
        parameter.Name.StartsWith(ModelParameters.LanguageModel, StringComparison.Ordinal) && Suffixes.Any(suffix => parameter.Name.EndsWith(suffix, StringComparison.Ordinal));

    /// <summary>For config.json.</summary>
    internal JsonObject ToJson(LanguageModelConfig config)
    {
        JsonObject json = new() { ["quant_method"] = Method, ["version"] = Version, ["scheme"] = Scheme.Word() };
        if (Scheme == QuantizationScheme.LlmInt8)
        {
            json["llm_int8_threshold"] = config.OutlierThreshold;
        }

        return json;
    }

    /// <summary>Why a parameter cannot be had alone.</summary>
    internal CheckpointException Refusal(string folder) =>
        new($"'{folder}' keeps its weights packed ({Scheme.Word()}) for our own kernels: it answers, and cannot be trained, merged, quantized again or run by torch. Use the checkpoint that it was made from.");
}
