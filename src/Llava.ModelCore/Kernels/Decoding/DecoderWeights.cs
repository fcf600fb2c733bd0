using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Kernels.Decoding;

/// <summary>A LLaMA-family decoder's weights, packed.</summary>
internal sealed class DecoderWeights : IDisposable
{
    private DecoderWeights(LanguageModelConfig config, QuantizationScheme scheme) => (Config, Scheme) = (config, scheme);

    /// <summary>Sizes.</summary>
    public LanguageModelConfig Config { get; }

    /// <summary>How the weights are kept.</summary>
    public QuantizationScheme Scheme { get; }

    /// <summary>Token embeddings.</summary>
    public required EmbeddingTable Embeddings { get; init; }

    /// <summary>The layers in order.</summary>
    public required IReadOnlyList<LayerWeights> Layers { get; init; }

    /// <summary>Weight of the final norm (hidden).</summary>
    public required NativeBuffer<float> Norm { get; init; }

    /// <summary>The output head (vocabulary, hidden).</summary>
    public required PackedMatrix Head { get; init; }

    /// <summary>Bytes of all weights.</summary>
    public long Bytes => Embeddings.Bytes + Norm.Bytes + Head.Bytes + Layers.Sum(layer => layer.Bytes);

    /// <summary>Packs a decoder tensor by tensor: memory peaks at the packed weights and one tensor.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="scheme">How the weights are kept.</param>
    /// <param name="read">Gives a parameter by its name in our own layout; the tensor is disposed here.</param>
    /// <param name="pool">Who packs.</param>
    /// <exception cref="CheckpointException">A weight is no number and the scheme has no place for it.</exception>
    public static DecoderWeights Pack(LanguageModelConfig config, QuantizationScheme scheme, Func<string, Tensor> read, WorkerPool pool)
    {
        DecoderPacking packing = new(scheme, read, pool);
        const string Embedding = ModelParameters.LanguageModel + "embed_tokens.weight";
        return new DecoderWeights(config, scheme)
        {
            Embeddings = packing.Table(Embedding, config.VocabularySize, config.HiddenSize),
            Layers = [.. Enumerable.Range(0, config.Layers).Select(i => LayerWeights.Pack(config, i, packing))],
            Norm = packing.Vector(ModelParameters.LanguageModel + "norm.weight", config.HiddenSize),
            Head = packing.Head(config.TieEmbeddings ? Embedding : ModelParameters.LanguageModel + "lm_head.weight", config.VocabularySize, config.HiddenSize),
        };
    }

    /// <summary>What the weights of a decoder take, by its sizes alone.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="scheme">How they are kept.</param>
    /// <param name="stored">Type in the checkpoint.</param>
    public static long Estimate(LanguageModelConfig config, QuantizationScheme scheme, ScalarType stored)
    {
        var (matrix, table) = (DecoderPacking.FormatOf(scheme, stored), DecoderPacking.TableFormatOf(scheme, stored));
        var (queries, keys) = (config.Heads * config.HeadSize, config.KeyValueHeads * config.HeadSize);
        return checked(
            EmbeddingTable.BytesOf(config.VocabularySize, config.HiddenSize, table)
            + Matrix(DecoderPacking.HeadFormatOf(scheme, stored), config.VocabularySize, config.HiddenSize)
            + (sizeof(float) * (1L + (2 * config.Layers)) * config.HiddenSize)
            + (config.Layers * (Matrix(matrix, queries + (2 * keys), config.HiddenSize) + Matrix(matrix, config.HiddenSize, queries)
                + Matrix(matrix, 2 * config.IntermediateSize, config.HiddenSize) + Matrix(matrix, config.HiddenSize, config.IntermediateSize))));

        static long Matrix(WeightFormat format, int rows, int columns) => Panel.Count(rows) * Panel.Bytes(format, columns);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Embeddings.Dispose();
        Norm.Dispose();
        Head.Dispose();
        foreach (var layer in Layers)
        {
            layer.Dispose();
        }
    }
}

/// <summary>One layer's weights. What multiplies the same input is one matrix.</summary>
internal sealed class LayerWeights : IDisposable
{
    /// <summary>Weight of the norm before attention (hidden).</summary>
    public required NativeBuffer<float> AttentionNorm { get; init; }

    /// <summary>Queries, keys and values, one below the other.</summary>
    public required PackedMatrix QueryKeyValue { get; init; }

    /// <summary>(hidden, heads · head size).</summary>
    public required PackedMatrix Output { get; init; }

    /// <summary>Weight of the norm before the MLP (hidden).</summary>
    public required NativeBuffer<float> MlpNorm { get; init; }

    /// <summary>Gate and up, one below the other.</summary>
    public required PackedMatrix GateUp { get; init; }

    /// <summary>(hidden, intermediate).</summary>
    public required PackedMatrix Down { get; init; }

    /// <summary>Bytes of all weights.</summary>
    public long Bytes => AttentionNorm.Bytes + QueryKeyValue.Bytes + Output.Bytes + MlpNorm.Bytes + GateUp.Bytes + Down.Bytes;

    /// <summary>Packs one layer.</summary>
    public static LayerWeights Pack(LanguageModelConfig config, int index, DecoderPacking packing)
    {
        var layer = $"{ModelParameters.LanguageModel}layers.{index}.";
        var (hidden, queries, keys) = (config.HiddenSize, config.Heads * config.HeadSize, config.KeyValueHeads * config.HeadSize);
        return new LayerWeights
        {
            AttentionNorm = packing.Vector(layer + "input_layernorm.weight", hidden),
            QueryKeyValue = packing.Matrix(hidden, (layer + "self_attn.q_proj.weight", queries), (layer + "self_attn.k_proj.weight", keys), (layer + "self_attn.v_proj.weight", keys)),
            Output = packing.Matrix(queries, (layer + "self_attn.o_proj.weight", hidden)),
            MlpNorm = packing.Vector(layer + "post_attention_layernorm.weight", hidden),
            GateUp = packing.Matrix(hidden, (layer + "mlp.gate_proj.weight", config.IntermediateSize), (layer + "mlp.up_proj.weight", config.IntermediateSize)),
            Down = packing.Matrix(config.IntermediateSize, (layer + "mlp.down_proj.weight", hidden)),
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        AttentionNorm.Dispose();
        QueryKeyValue.Dispose();
        Output.Dispose();
        MlpNorm.Dispose();
        GateUp.Dispose();
        Down.Dispose();
    }
}
