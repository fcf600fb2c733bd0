using Llava.ModelCore.Checkpoints;

namespace Llava.ModelCore.Kernels.Decoding;

/// <summary>What a matrix of a decoder is for, which decides how it is kept.</summary>
internal enum DecoderPartKind
{
    /// <summary>One of a layer's.</summary>
    Layer,

    /// <summary>The output head.</summary>
    Head,

    /// <summary>The embeddings.</summary>
    Table,
}

/// <summary>A matrix of a packed decoder: parameters that multiply the same input, one below the other.</summary>
/// <param name="Name">Its own name.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="Columns">Inputs.</param>
/// <param name="Parameters">Names in our own layout, with their rows.</param>
internal sealed record DecoderPart(string Name, DecoderPartKind Kind, int Columns, params IReadOnlyList<(string Name, int Rows)> Parameters)
{
    private const string Embeddings = ModelParameters.LanguageModel + "embed_tokens.weight";

    /// <summary>Outputs.</summary>
    public int Rows => Parameters.Sum(parameter => parameter.Rows);

    /// <summary>All matrices of a decoder.</summary>
    public static IEnumerable<DecoderPart> Of(LanguageModelConfig config) =>
        [Table(config), .. Enumerable.Range(0, config.Layers).SelectMany(i => (DecoderPart[])[QueryKeyValue(config, i), Output(config, i), GateUp(config, i), Down(config, i)]), Head(config)];

    /// <summary>The embeddings (vocabulary, hidden).</summary>
    public static DecoderPart Table(LanguageModelConfig config) => new("embed_tokens", DecoderPartKind.Table, config.HiddenSize, (Embeddings, config.VocabularySize));

    /// <summary>The output head (vocabulary, hidden): the embeddings once more where it shares them.</summary>
    public static DecoderPart Head(LanguageModelConfig config) =>
        new("lm_head", DecoderPartKind.Head, config.HiddenSize, (config.TieEmbeddings ? Embeddings : ModelParameters.LanguageModel + "lm_head.weight", config.VocabularySize));

    /// <summary>Queries, keys and values.</summary>
    public static DecoderPart QueryKeyValue(LanguageModelConfig config, int layer)
    {
        var keys = config.KeyValueHeads * config.HeadSize;
        return InLayer(layer, "query_key_value", config.HiddenSize, ("self_attn.q_proj", config.Heads * config.HeadSize), ("self_attn.k_proj", keys), ("self_attn.v_proj", keys));
    }

    /// <summary>(hidden, heads · head size).</summary>
    public static DecoderPart Output(LanguageModelConfig config, int layer) => InLayer(layer, "output", config.Heads * config.HeadSize, ("self_attn.o_proj", config.HiddenSize));

    /// <summary>Gate and up; MPT has no gate.</summary>
    public static DecoderPart GateUp(LanguageModelConfig config, int layer)
    {
        (string, int)[] gate = config.Mpt is null ? [("mlp.gate_proj", config.IntermediateSize)] : [];
        return InLayer(layer, "gate_up", config.HiddenSize, [.. gate, ("mlp.up_proj", config.IntermediateSize)]);
    }

    /// <summary>(hidden, intermediate).</summary>
    public static DecoderPart Down(LanguageModelConfig config, int layer) => InLayer(layer, "down", config.IntermediateSize, ("mlp.down_proj", config.HiddenSize));

    private static DecoderPart InLayer(int layer, string name, int columns, params (string Name, int Rows)[] parts) =>
        new($"layers.{layer}.{name}", DecoderPartKind.Layer, columns, [.. parts.Select(part => ($"{ModelParameters.LanguageModel}layers.{layer}.{part.Name}.weight", part.Rows))]);
}
