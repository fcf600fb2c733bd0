using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>
/// A decoder of the LLaMA family, or MPT, on packed tokens: (tokens, hidden) in and out, positions given per token, and what each token
/// sees left to an <see cref="IAttention"/>. Training, parity and the reference engine all run this one path.
/// </summary>
public sealed class LanguageModel : nn.Module
{
    private readonly RotaryEmbedding? _rotary;

    [ComponentName(Name = "embed_tokens")]
    private readonly Embeddings _embeddings;

    [ComponentName(Name = "layers")]
    private readonly ModuleList<DecoderLayer> _layers;

    [ComponentName(Name = "norm")]
    private readonly nn.Module<Tensor, Tensor> _norm;

    [ComponentName(Name = "lm_head")]
    private readonly LinearLayer? _head;

    /// <summary>Makes the model with uninitialised weights.</summary>
    public LanguageModel(LanguageModelConfig config)
        : base(nameof(LanguageModel))
    {
        Config = config;
        _rotary = config.Mpt is null ? new RotaryEmbedding(config) : null;
        _embeddings = new Embeddings(config.VocabularySize, config.HiddenSize);
        _layers = new ModuleList<DecoderLayer>([.. Enumerable.Range(0, config.Layers).Select(i => new DecoderLayer(config, i))]);
        _norm = Norm(config);
        _head = config.TieEmbeddings ? null : new LinearLayer(config.HiddenSize, config.VocabularySize, hasBias: false);
        RegisterComponents();
    }

    /// <summary>Sizes.</summary>
    public LanguageModelConfig Config { get; }

    /// <summary>Where embeddings are looked up; all parameters are there, unless the layers were <see cref="Place">placed</see>.</summary>
    public Device Device => _embeddings.Weight.device;

    /// <summary>Looks tokens up: int64 (tokens) → (tokens, hidden).</summary>
    public Tensor Embed(Tensor ids) => _embeddings.Weight.index_select(0, ids);

    /// <summary>Type that matrix products are computed in.</summary>
    internal ScalarType ComputeType => modules().OfType<LinearLayer>().First().ComputeType;

    /// <summary>The devices that have layers, in order.</summary>
    internal IReadOnlyList<Device> Devices => [.. _layers.Select(layer => layer.Device).DistinctBy(device => device.ToString())];

    /// <summary>The blocks, in order; training runs them one at a time.</summary>
    internal ModuleList<DecoderLayer> Layers => _layers;

    /// <summary>The norm behind the last block.</summary>
    internal nn.Module<Tensor, Tensor> FinalNorm => _norm;

    /// <summary>Cosine and sine that the blocks rotate by at each position; null where positions are told by the attention.</summary>
    /// <param name="positions">int64 (tokens).</param>
    /// <param name="longest">Length of the longest sequence.</param>
    internal LayerAngles Angles(Tensor positions, long longest)
    {
        (Tensor? Cosine, Tensor? Sine) at = _rotary is null ? default : _rotary.At(positions, longest);
        return new(at.Cosine, at.Sine, Devices);
    }

    /// <summary>Runs one block, where it is.</summary>
    /// <param name="index">Which.</param>
    /// <param name="hidden">(tokens, hidden).</param>
    /// <param name="angles">See <see cref="Angles"/>.</param>
    /// <param name="attention">What each token sees.</param>
    /// <param name="wanted">int64: the tokens whose output is needed; null for all.</param>
    /// <returns>(tokens or wanted, hidden), on the block's device.</returns>
    internal Tensor Layer(int index, Tensor hidden, LayerAngles angles, IAttention attention, Tensor? wanted = null)
    {
        var layer = _layers[index];
        var device = layer.Device;
        var (cosine, sine) = angles.On(device);
        return layer.Forward(hidden.to(device), cosine, sine, attention, wanted?.to(device));
    }

    /// <summary>Moves the layers to their devices.</summary>
    internal void Place(LayerPlacement placement)
    {
        _embeddings.to(placement.First);
        foreach (var (layer, device) in _layers.Zip(placement.Layers))
        {
            layer.to(device);
        }

        _norm.to(placement.Layers[^1]);
        _head?.to(placement.Layers[^1]);
    }

    /// <summary>Runs all layers and the final norm.</summary>
    /// <param name="embeddings">(tokens, hidden).</param>
    /// <param name="positions">int64 (tokens): the position of each token in its own sequence.</param>
    /// <param name="longest">Length of the longest sequence after this pass; only dynamic RoPE scaling looks at it.</param>
    /// <param name="attention">What each token sees.</param>
    /// <param name="observe">Called with (layer index, output of that layer) after every layer; for parity tests.</param>
    /// <param name="wanted">int64: the tokens whose final state is needed, such as those a loss looks at; null for all. The last MLP runs on these only.</param>
    /// <returns>(tokens or wanted, hidden) after the final norm.</returns>
    public Tensor Forward(
        Tensor embeddings, Tensor positions, long longest, IAttention attention, Action<int, Tensor>? observe = null, Tensor? wanted = null)
    {
        var angles = Angles(positions, longest);
        var hidden = embeddings;
        for (var i = 0; i < _layers.Count; i++)
        {
            hidden = Layer(i, hidden, angles, attention, i == _layers.Count - 1 ? wanted : null);
            observe?.Invoke(i, hidden);
        }

        return _norm.call(hidden);
    }

    /// <summary>Logits of final hidden states: (tokens, hidden) → (tokens, vocabulary), float32.</summary>
    public Tensor Logits(Tensor hidden)
    {
        var logits = (_head is null ? nn.functional.linear(hidden.to(Device), _embeddings.Weight.to(hidden.dtype)) : _head.call(hidden)).to(ScalarType.Float32);
        return Config.Mpt?.LogitScale is { } scale ? logits.mul(Scalars.Of(scale)) : logits;
    }

    /// <summary>A norm of the decoder's kind, with uninitialised weights.</summary>
    internal static nn.Module<Tensor, Tensor> Norm(LanguageModelConfig config) => config.Mpt is null
        ? new RmsNorm(config.HiddenSize, config.NormEpsilon)
        : new LayerNormLayer(config.HiddenSize, config.NormEpsilon, hasBias: false);
}

/// <summary>The token embedding table.</summary>
public sealed class Embeddings : nn.Module
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    /// <summary>Makes the table with uninitialised weights of shape (vocabulary, hidden).</summary>
    public Embeddings(long vocabulary, long hidden)
        : base(nameof(Embeddings))
    {
        _weight = nn.Parameter(empty(vocabulary, hidden));
        RegisterComponents();
    }

    /// <summary>(vocabulary, hidden).</summary>
    public Tensor Weight => _weight;
}
