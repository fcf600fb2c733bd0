using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Kernels.Decoding;

/// <summary>A decoder's weights, packed.</summary>
internal sealed class DecoderWeights : IDisposable
{
    private readonly IDisposable? _memory;

    private DecoderWeights(LanguageModelConfig config, QuantizationScheme scheme, IDisposable? memory) => (Config, Scheme, _memory) = (config, scheme, memory);

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
    public static DecoderWeights Pack(LanguageModelConfig config, QuantizationScheme scheme, Func<string, Tensor> read, WorkerPool pool) =>
        From(config, scheme, new DecoderPacking(scheme, read, pool));

    /// <summary>Takes a decoder's weights from where they are.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="scheme">How the weights are kept.</param>
    /// <param name="source">Where they are.</param>
    /// <param name="memory">What keeps the memory that the source lends, disposed with the weights; null where it lends none.</param>
    public static DecoderWeights From(LanguageModelConfig config, QuantizationScheme scheme, IDecoderSource source, IDisposable? memory = null) => new(config, scheme, memory)
    {
        Embeddings = source.Table(DecoderPart.Table(config)),
        Layers = [.. Enumerable.Range(0, config.Layers).Select(i => LayerWeights.From(config, i, source))],
        Norm = source.Vector(ModelParameters.LanguageModel + "norm.weight", config.HiddenSize),
        Head = source.Matrix(DecoderPart.Head(config)),
    };

    /// <summary>What the weights of a decoder take, by its sizes alone.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="scheme">How they are kept.</param>
    /// <param name="stored">Type in the checkpoint.</param>
    public static long Estimate(LanguageModelConfig config, QuantizationScheme scheme, ScalarType stored) => checked(
        (sizeof(float) * (1L + (2 * config.Layers)) * config.HiddenSize)
        + DecoderPart.Of(config).Sum(part => DecoderFormats.BytesOf(part, DecoderFormats.Of(scheme, part, stored))));

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

        _memory?.Dispose();
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

    /// <summary>Gate and up, one below the other; up alone for MPT.</summary>
    public required PackedMatrix GateUp { get; init; }

    /// <summary>(hidden, intermediate).</summary>
    public required PackedMatrix Down { get; init; }

    /// <summary>Bytes of all weights.</summary>
    public long Bytes => AttentionNorm.Bytes + QueryKeyValue.Bytes + Output.Bytes + MlpNorm.Bytes + GateUp.Bytes + Down.Bytes;

    /// <summary>Takes one layer.</summary>
    public static LayerWeights From(LanguageModelConfig config, int index, IDecoderSource source)
    {
        var layer = $"{ModelParameters.LanguageModel}layers.{index}.";
        return new LayerWeights
        {
            AttentionNorm = source.Vector(layer + "input_layernorm.weight", config.HiddenSize),
            QueryKeyValue = source.Matrix(DecoderPart.QueryKeyValue(config, index)),
            Output = source.Matrix(DecoderPart.Output(config, index)),
            MlpNorm = source.Vector(layer + "post_attention_layernorm.weight", config.HiddenSize),
            GateUp = source.Matrix(DecoderPart.GateUp(config, index)),
            Down = source.Matrix(DecoderPart.Down(config, index)),
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
