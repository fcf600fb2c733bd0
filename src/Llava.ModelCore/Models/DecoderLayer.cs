using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>One block: h ← h + Attn(Norm(h)); h ← h + MLP(Norm(h)) (spec 1.4.1), with MPT's norms and MLP where the config says so (spec 1.4.2).</summary>
public sealed class DecoderLayer : nn.Module
{
    [ComponentName(Name = "input_layernorm")]
    private readonly nn.Module<Tensor, Tensor> _attentionNorm;

    [ComponentName(Name = "self_attn")]
    private readonly SelfAttention _attention;

    [ComponentName(Name = "post_attention_layernorm")]
    private readonly nn.Module<Tensor, Tensor> _mlpNorm;

    [ComponentName(Name = "mlp")]
    private readonly nn.Module<Tensor, Tensor> _mlp;

    /// <summary>Makes the layer with uninitialised weights.</summary>
    public DecoderLayer(LanguageModelConfig config, int layer)
        : base(nameof(DecoderLayer))
    {
        _attentionNorm = LanguageModel.Norm(config);
        _attention = new SelfAttention(config, layer);
        _mlpNorm = LanguageModel.Norm(config);
        _mlp = config.Mpt is null ? new GatedMlp(config) : new GeluMlp(config);
        RegisterComponents();
    }

    /// <summary>Where its parameters are.</summary>
    public Device Device => _attentionNorm.parameters().First().device;

    /// <summary>Runs the block on packed tokens.</summary>
    /// <param name="hidden">(tokens, hidden size).</param>
    /// <param name="cosine">(tokens, 1, head size); null where positions are told by the attention.</param>
    /// <param name="sine">(tokens, 1, head size); null where positions are told by the attention.</param>
    /// <param name="attention">What the tokens may see.</param>
    /// <param name="wanted">int64: the tokens whose output is needed; null for all.</param>
    /// <returns>(tokens or wanted, hidden size).</returns>
    public Tensor Forward(Tensor hidden, Tensor? cosine, Tensor? sine, IAttention attention, Tensor? wanted = null)
    {
        hidden = hidden.add(_attention.Forward(_attentionNorm.call(hidden), cosine, sine, attention), Native.Scalars.One);
        hidden = wanted is null ? hidden : hidden.index_select(0, wanted);
        return hidden.add(_mlp.call(_mlpNorm.call(hidden)), Native.Scalars.One);
    }
}

/// <summary>Projections around an <see cref="IAttention"/>, without biases.</summary>
public sealed class SelfAttention : nn.Module
{
    private readonly LanguageModelConfig _config;
    private readonly int _layer;

    [ComponentName(Name = "q_proj")]
    private readonly LinearLayer _query;

    [ComponentName(Name = "k_proj")]
    private readonly LinearLayer _key;

    [ComponentName(Name = "v_proj")]
    private readonly LinearLayer _value;

    [ComponentName(Name = "o_proj")]
    private readonly LinearLayer _output;

    /// <summary>Makes the projections with uninitialised weights.</summary>
    public SelfAttention(LanguageModelConfig config, int layer)
        : base(nameof(SelfAttention))
    {
        (_config, _layer) = (config, layer);
        var width = (long)config.Heads * config.HeadSize;
        var narrow = (long)config.KeyValueHeads * config.HeadSize;
        _query = new LinearLayer(config.HiddenSize, width, hasBias: false);
        _key = new LinearLayer(config.HiddenSize, narrow, hasBias: false);
        _value = new LinearLayer(config.HiddenSize, narrow, hasBias: false);
        _output = new LinearLayer(width, config.HiddenSize, hasBias: false);
        RegisterComponents();
    }

    internal Tensor Forward(Tensor input, Tensor? cosine, Tensor? sine, IAttention attention)
    {
        var x = input.to(_query.ComputeType); // once, not in each of the three
        var query = Scaled(Rotate(Clipped(_query.call(x)).view(-1, _config.Heads, _config.HeadSize), cosine, sine));
        var key = Rotate(Clipped(_key.call(x)).view(-1, _config.KeyValueHeads, _config.HeadSize), cosine, sine);
        var value = Clipped(_value.call(x)).view(-1, _config.KeyValueHeads, _config.HeadSize);
        return _output.call(attention.Attend(_layer, query, key, value).reshape(x.shape[0], -1)).to(input.dtype);
    }

    private static Tensor Rotate(Tensor x, Tensor? cosine, Tensor? sine) =>
        cosine is null || sine is null ? x : RotaryEmbedding.Rotate(x, cosine.to(x.dtype), sine.to(x.dtype));

    private Tensor Clipped(Tensor x) => _config.Mpt?.ClipQkv is { } most ? x.clamp(Scalars.Of(-most), Scalars.Of(most)) : x;

    /// <summary>An <see cref="IAttention"/> divides by √head size; a scale of the model's own takes that back.</summary>
    private Tensor Scaled(Tensor query) => _config.Mpt?.SoftmaxScale is { } scale ? query.mul(Scalars.Of(scale * Math.Sqrt(_config.HeadSize))) : query;
}

/// <summary>down(silu(gate(x))·up(x)), without biases.</summary>
public sealed class GatedMlp : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "gate_proj")]
    private readonly LinearLayer _gate;

    [ComponentName(Name = "up_proj")]
    private readonly LinearLayer _up;

    [ComponentName(Name = "down_proj")]
    private readonly LinearLayer _down;

    /// <summary>Makes the projections with uninitialised weights.</summary>
    public GatedMlp(LanguageModelConfig config)
        : base(nameof(GatedMlp))
    {
        _gate = new LinearLayer(config.HiddenSize, config.IntermediateSize, hasBias: false);
        _up = new LinearLayer(config.HiddenSize, config.IntermediateSize, hasBias: false);
        _down = new LinearLayer(config.IntermediateSize, config.HiddenSize, hasBias: false);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        var x = input.to(_gate.ComputeType); // once, not in both
        return _down.call(nn.functional.silu(_gate.call(x)) * _up.call(x)).to(input.dtype);
    }
}
