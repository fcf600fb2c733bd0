using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>A layer's weights; norms are bfloat16.</summary>
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

/// <summary>The language model on a device: in bfloat16, or its layers' matrices in eight or four bits.</summary>
internal sealed class DeviceWeights : IDisposable
{
    private readonly List<DeviceLayer> _layers = [];
    private readonly DenseMatrix? _embeddings;
    private readonly DenseMatrix? _ownHead;
    private readonly Tensor? _norm;
    private readonly Tensor? _scratch;

    /// <summary>Reads tensor by tensor, so that no more than one matrix is in the host's memory.</summary>
    /// <param name="config">The decoder.</param>
    /// <param name="read">A parameter by its name in our own layout, of any type; disposed here.</param>
    /// <param name="session">Where to.</param>
    /// <param name="options">How matrices are kept, and the threads that round them.</param>
    /// <exception cref="EngineOptionsException">It is no decoder of the LLaMA family.</exception>
    public DeviceWeights(LanguageModelConfig config, Func<string, Tensor> read, CudaSession session, EngineOptions options)
    {
        RequireSupported(config);
        session.Enter();
        (Config, var device, var isNf4) = (config, session.Device, options.Quantize == QuantizationScheme.Nf4);
        using WorkerPool pool = new(options.ThreadCount);
        try
        {
            _scratch = ScratchBytes(config, options.Quantize) is > 0 and var bytes ? empty(bytes / sizeof(ushort), ScalarType.BFloat16, device).DetachFromDisposeScope() : null;
            _embeddings = Dense("embed_tokens");
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
            _ownHead = config.TieEmbeddings ? null : Dense("lm_head");
        }
        catch
        {
            Dispose();
            throw;
        }

        DenseMatrix Dense(string name) => new(device, [read($"{ModelParameters.LanguageModel}{name}.weight")]);

        DeviceMatrix Matrix(params string[] names)
        {
            Tensor[] parts = [.. names.Select(name => read($"{ModelParameters.LanguageModel}{name}.weight"))];
            return options.Quantize == QuantizationScheme.Fp8 && parts.All(part => Fp8Matrix.Fits(part.shape)) ? new Fp8Matrix(session, parts)
                : IsFourBit(parts[0].shape[1], options.Quantize) ? new FourBitMatrix(session, isNf4, parts, _scratch!, pool)
                : new DenseMatrix(device, parts);
        }

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

    /// <summary>Whether a matrix takes its input in eight bits.</summary>
    public bool HasFp8 => _layers.Exists(layer => layer.Merged.TakesFp8 || layer.Output.TakesFp8 || layer.Gates.TakesFp8 || layer.Down.TakesFp8);

    /// <summary>Bytes of all of them, and of what products of four-bit matrices work with.</summary>
    public long Bytes => _embeddings!.Bytes + (_ownHead?.Bytes ?? 0) + VectorBytes(_norm!) + (_scratch is null ? 0 : VectorBytes(_scratch))
        + _layers.Sum(layer => VectorBytes(layer.AttentionNorm) + layer.Merged.Bytes + layer.Output.Bytes + VectorBytes(layer.MlpNorm) + layer.Gates.Bytes + layer.Down.Bytes);

    /// <summary>Bytes that a parameter takes, by its name and its shape alone.</summary>
    public static long BytesOf(ModelParameter parameter, QuantizationScheme scheme)
    {
        var count = parameter.Shape.Aggregate(1L, (product, size) => checked(product * size));
        var isRounded = parameter.Shape.Count == 2 && parameter.Name.StartsWith(ModelParameters.LanguageModel + "layers.", StringComparison.Ordinal);
        return isRounded && scheme == QuantizationScheme.Fp8 && Fp8Matrix.Fits(parameter.Shape) ? Fp8Matrix.BytesOf(parameter.Shape)
            : isRounded && IsFourBit(parameter.Shape[1], scheme) ? FourBitCodes.BytesOf(count, scheme == QuantizationScheme.Nf4)
            : checked(count * sizeof(ushort));
    }

    /// <summary>Bytes of the matrix that products of many rows make of a four-bit one: as many as the largest takes.</summary>
    public static long ScratchBytes(LanguageModelConfig config, QuantizationScheme scheme)
    {
        long hidden = config.HiddenSize, queries = (long)config.Heads * config.HeadSize, merged = queries + (2L * config.KeyValueHeads * config.HeadSize), gates = 2L * config.IntermediateSize;
        (long Outputs, long Inputs)[] matrices = [(merged, hidden), (hidden, queries), (gates, hidden), (hidden, config.IntermediateSize)];
        return sizeof(ushort) * matrices.Where(matrix => IsFourBit(matrix.Inputs, scheme)).Select(matrix => matrix.Outputs * matrix.Inputs).DefaultIfEmpty().Max();
    }

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
        _scratch?.Dispose();
    }

    /// <summary>Whether a matrix is kept in four bits: where its columns are whole groups.</summary>
    private static bool IsFourBit(long columns, QuantizationScheme scheme) =>
        scheme is QuantizationScheme.Int4 or QuantizationScheme.Nf4 && columns % FourBitCodes.GroupOf(scheme == QuantizationScheme.Nf4) == 0;

    private static long VectorBytes(Tensor vector) => vector.numel() * vector.ElementSize;
}
