namespace Llava.ModelCore.Checkpoints;

/// <summary>A parameter of the model: its name in our own layout and its shape.</summary>
public sealed record ModelParameter(string Name, IReadOnlyList<long> Shape);

/// <summary>
/// Every parameter a config calls for, in our own layout: <c>vision_tower.…</c>, <c>projector.layers.{i}.…</c>,
/// <c>language_model.…</c>. The vision tower has only the layers its selected hidden state needs.
/// </summary>
public static class ModelParameters
{
    /// <summary>Start of the vision tower's names.</summary>
    public const string VisionTower = "vision_tower.";

    /// <summary>Start of the projector's names.</summary>
    public const string Projector = "projector.layers.";

    /// <summary>Start of the language model's names.</summary>
    public const string LanguageModel = "language_model.";

    /// <summary>The parameters, in forward order.</summary>
    public static IEnumerable<ModelParameter> Of(LlavaConfig config) =>
    [
        .. config.Vision is null ? [] : OfVisionTower(config.Vision),
        .. config.Projector is null ? [] : OfProjector(config.Projector),
        .. OfLanguageModel(config.LanguageModel),
    ];

    /// <summary>The vision tower's parameters.</summary>
    public static IEnumerable<ModelParameter> OfVisionTower(VisionConfig config)
    {
        var (hidden, patch) = (config.HiddenSize, config.PatchSize);
        yield return new(VisionTower + "embeddings.class_embedding", [hidden]);
        yield return new(VisionTower + "embeddings.patch_embedding.weight", [hidden, 3, patch, patch]);
        yield return new(VisionTower + "embeddings.position_embedding.weight", [config.Patches + 1, hidden]);
        foreach (var norm in WithBias("pre_layrnorm", [hidden]))
        {
            yield return norm;
        }

        for (var i = 0; i < config.LayersUsed; i++)
        {
            ModelParameter[] layer =
            [
                .. WithBias($"layers.{i}.layer_norm1", [hidden]),
                .. ((string[])["q_proj", "k_proj", "v_proj", "out_proj"]).SelectMany(name => WithBias($"layers.{i}.self_attn.{name}", [hidden, hidden])),
                .. WithBias($"layers.{i}.layer_norm2", [hidden]),
                .. WithBias($"layers.{i}.mlp.fc1", [config.IntermediateSize, hidden]),
                .. WithBias($"layers.{i}.mlp.fc2", [hidden, config.IntermediateSize]),
            ];
            foreach (var parameter in layer)
            {
                yield return parameter;
            }
        }

        static IEnumerable<ModelParameter> WithBias(string name, long[] shape) =>
            [new($"{VisionTower}{name}.weight", shape), new($"{VisionTower}{name}.bias", [shape[0]])];
    }

    /// <summary>Whether a parameter is the matrix of a linear layer of vision tower or projector.</summary>
    public static bool IsImageMatrix(ModelParameter parameter) => parameter.Shape.Count == 2
        && (parameter.Name.StartsWith(VisionTower + "layers.", StringComparison.Ordinal) || parameter.Name.StartsWith(Projector, StringComparison.Ordinal));

    /// <summary>The projector's parameters.</summary>
    public static IEnumerable<ModelParameter> OfProjector(ProjectorConfig config) => Enumerable.Range(0, config.Depth).SelectMany(i => (ModelParameter[])
    [
        new($"{Projector}{i}.weight", [config.OutputSize, i == 0 ? config.InputSize : config.OutputSize]),
        new($"{Projector}{i}.bias", [config.OutputSize]),
    ]);

    /// <summary>The decoder's parameters.</summary>
    public static IEnumerable<ModelParameter> OfLanguageModel(LanguageModelConfig config)
    {
        long hidden = config.HiddenSize, width = (long)config.Heads * config.HeadSize, narrow = (long)config.KeyValueHeads * config.HeadSize;
        long[] vocabulary = [config.VocabularySize, hidden];
        yield return new(LanguageModel + "embed_tokens.weight", vocabulary);
        for (var i = 0; i < config.Layers; i++)
        {
            var layer = $"{LanguageModel}layers.{i}.";
            yield return new(layer + "input_layernorm.weight", [hidden]);
            yield return new(layer + "self_attn.q_proj.weight", [width, hidden]);
            yield return new(layer + "self_attn.k_proj.weight", [narrow, hidden]);
            yield return new(layer + "self_attn.v_proj.weight", [narrow, hidden]);
            yield return new(layer + "self_attn.o_proj.weight", [hidden, width]);
            yield return new(layer + "post_attention_layernorm.weight", [hidden]);
            if (config.Mpt is null)
            {
                yield return new(layer + "mlp.gate_proj.weight", [config.IntermediateSize, hidden]);
            }

            yield return new(layer + "mlp.up_proj.weight", [config.IntermediateSize, hidden]);
            yield return new(layer + "mlp.down_proj.weight", [hidden, config.IntermediateSize]);
        }

        yield return new(LanguageModel + "norm.weight", [hidden]);
        if (!config.TieEmbeddings)
        {
            yield return new(LanguageModel + "lm_head.weight", vocabulary);
        }
    }
}
