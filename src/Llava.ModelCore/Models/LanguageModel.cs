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

    /// <summary>Where the parameters are.</summary>
    public Device Device => _embeddings.Weight.device;

    /// <summary>Looks tokens up: int64 (tokens) → (tokens, hidden).</summary>
    public Tensor Embed(Tensor ids) => _embeddings.Weight.index_select(0, ids);

    /// <summary>The blocks, in order; training runs them one at a time.</summary>
    internal ModuleList<DecoderLayer> Layers => _layers;

    /// <summary>The norm behind the last block.</summary>
    internal nn.Module<Tensor, Tensor> FinalNorm => _norm;

    /// <summary>Cosine and sine that the blocks rotate by at each position; null where positions are told by the attention.</summary>
    /// <param name="positions">int64 (tokens).</param>
    /// <param name="longest">Length of the longest sequence.</param>
    internal (Tensor? Cosine, Tensor? Sine) Angles(Tensor positions, long longest) => _rotary?.At(positions, longest) ?? default;

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
        var (cosine, sine) = Angles(positions, longest);
        var hidden = embeddings;
        for (var i = 0; i < _layers.Count; i++)
        {
            hidden = _layers[i].Forward(hidden, cosine, sine, attention, i == _layers.Count - 1 ? wanted : null);
            observe?.Invoke(i, hidden);
        }

        return _norm.call(hidden);
    }

    /// <summary>Logits of final hidden states: (tokens, hidden) → (tokens, vocabulary), float32.</summary>
    public Tensor Logits(Tensor hidden)
    {
        var logits = (_head is null ? nn.functional.linear(hidden, _embeddings.Weight.to(hidden.dtype)) : _head.call(hidden)).to(ScalarType.Float32);
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
