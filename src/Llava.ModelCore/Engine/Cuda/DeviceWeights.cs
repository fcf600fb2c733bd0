using Llava.ModelCore.Checkpoints;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>A layer's weights in bfloat16.</summary>
/// <param name="AttentionNorm">(hidden).</param>
/// <param name="Merged">Queries, keys and values in one matrix.</param>
/// <param name="Output">Behind the attention.</param>
/// <param name="MlpNorm">(hidden).</param>
/// <param name="Gates">Gate and up in one matrix.</param>
/// <param name="Down">The way back.</param>
internal sealed record DeviceLayer(Tensor AttentionNorm, DeviceMatrix Merged, DeviceMatrix Output, Tensor MlpNorm, DeviceMatrix Gates, DeviceMatrix Down) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var part in (IDisposable[])[AttentionNorm, Merged, Output, MlpNorm, Gates, Down])
        {
            part.Dispose();
        }
    }
}

/// <summary>The language model on a device, in bfloat16.</summary>
internal sealed class DeviceWeights : IDisposable
{
    private readonly List<DeviceLayer> _layers = [];
    private readonly DeviceMatrix? _embeddings;
    private readonly DeviceMatrix? _ownHead;
    private readonly Tensor? _norm;

    /// <summary>Reads tensor by tensor, so that no more than one matrix is in the host's memory.</summary>
    /// <param name="config">The decoder.</param>
    /// <param name="read">A parameter by its name in our own layout, of any type; disposed here.</param>
    /// <param name="device">Where to.</param>
    /// <exception cref="EngineOptionsException">It is no decoder of the LLaMA family.</exception>
    public DeviceWeights(LanguageModelConfig config, Func<string, Tensor> read, Device device)
    {
        RequireSupported(config);
        Config = config;
        try
        {
            _embeddings = Matrix("embed_tokens");
            for (var i = 0; i < config.Layers; i++)
            {
                var layer = $"layers.{i}.";
                _layers.Add(new DeviceLayer(
                    Vector($"{layer}input_layernorm"),
                    Matrix($"{layer}self_attn.q_proj", $"{layer}self_attn.k_proj", $"{layer}self_attn.v_proj"),
                    Matrix($"{layer}self_attn.o_proj"),
                    Vector($"{layer}post_attention_layernorm"),
                    Matrix($"{layer}mlp.gate_proj", $"{layer}mlp.up_proj"),
                    Matrix($"{layer}mlp.down_proj")));
            }

            _norm = Vector("norm");
            _ownHead = config.TieEmbeddings ? null : Matrix("lm_head");
        }
        catch
        {
            Dispose();
            throw;
        }

        DeviceMatrix Matrix(params string[] names) => new(device, [.. names.Select(name => read($"{ModelParameters.LanguageModel}{name}.weight"))]);

        Tensor Vector(string name)
        {
            using var value = read($"{ModelParameters.LanguageModel}{name}.weight");
            return value.to(ScalarType.BFloat16, device, copy: true).DetachFromDisposeScope();
        }
    }

    public LanguageModelConfig Config { get; }

    public IReadOnlyList<DeviceLayer> Layers => _layers;

    /// <summary>(vocabulary, hidden).</summary>
    public Tensor Embeddings => _embeddings!.Weight;

    /// <summary>The norm behind the last layer, (hidden).</summary>
    public Tensor Norm => _norm!;

    /// <summary>From hidden states to logits.</summary>
    public DeviceMatrix Head => _ownHead ?? _embeddings!;

    /// <summary>Bytes of all of them.</summary>
    public long Bytes => ModelParameters.OfLanguageModel(Config).Sum(BytesOf);

    /// <summary>Bytes that a parameter takes, by its shape alone.</summary>
    public static long BytesOf(ModelParameter parameter) => parameter.Shape.Aggregate((long)sizeof(ushort), (bytes, size) => checked(bytes * size));

    /// <summary>Refuses a decoder that the runner does not compute.</summary>
    /// <exception cref="EngineOptionsException">The message says what does.</exception>
    public static void RequireSupported(LanguageModelConfig config)
    {
        if (config.Mpt is not null)
        {
            throw new EngineOptionsException("This model is an MPT, whose linear biases the CUDA runner does not compute. Use the CPU (--runner cpu).");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _layers.ForEach(layer => layer.Dispose());
        _embeddings?.Dispose();
        _ownHead?.Dispose();
        _norm?.Dispose();
    }
}
