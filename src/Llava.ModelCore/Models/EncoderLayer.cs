using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>One CLIP block: x ← x + Attn(LN₁(x)); x ← x + MLP(LN₂(x)).</summary>
public sealed class EncoderLayer : nn.Module<Tensor, Tensor>
{
    private readonly VisionConfig _config;

    [ComponentName(Name = "layer_norm1")]
    private readonly LayerNormLayer _attentionNorm;

    [ComponentName(Name = "self_attn")]
    private readonly EncoderAttention _attention;

    [ComponentName(Name = "layer_norm2")]
    private readonly LayerNormLayer _mlpNorm;

    [ComponentName(Name = "mlp")]
    private readonly EncoderMlp _mlp;

    /// <summary>Makes the layer with uninitialised weights.</summary>
    public EncoderLayer(VisionConfig config)
        : base(nameof(EncoderLayer))
    {
        _config = config;
        _attentionNorm = new LayerNormLayer(config.HiddenSize, config.NormEpsilon);
        _attention = new EncoderAttention(config);
        _mlpNorm = new LayerNormLayer(config.HiddenSize, config.NormEpsilon);
        _mlp = new EncoderMlp(config);
        RegisterComponents();
    }

    /// <summary>(images, positions, hidden) → the same.</summary>
    public override Tensor forward(Tensor input)
    {
        var hidden = input.add(_attention.call(_attentionNorm.call(input)).to(input.dtype), Scalars.One);
        return hidden.add(_mlp.call(_mlpNorm.call(hidden)).to(input.dtype), Scalars.One);
    }
}

/// <summary>Bidirectional self-attention with biases.</summary>
public sealed class EncoderAttention : nn.Module<Tensor, Tensor>
{
    private readonly VisionConfig _config;

    [ComponentName(Name = "q_proj")]
    private readonly LinearLayer _query;

    [ComponentName(Name = "k_proj")]
    private readonly LinearLayer _key;

    [ComponentName(Name = "v_proj")]
    private readonly LinearLayer _value;

    [ComponentName(Name = "out_proj")]
    private readonly LinearLayer _output;

    /// <summary>Makes the projections with uninitialised weights.</summary>
    public EncoderAttention(VisionConfig config)
        : base(nameof(EncoderAttention))
    {
        _config = config;
        _query = new LinearLayer(config.HiddenSize, config.HiddenSize, hasBias: true);
        _key = new LinearLayer(config.HiddenSize, config.HiddenSize, hasBias: true);
        _value = new LinearLayer(config.HiddenSize, config.HiddenSize, hasBias: true);
        _output = new LinearLayer(config.HiddenSize, config.HiddenSize, hasBias: true);
        RegisterComponents();
    }

    /// <summary>(images, positions, hidden) → the same.</summary>
    public override Tensor forward(Tensor input)
    {
        var scale = Scalars.Of(1 / Math.Sqrt((double)_config.HiddenSize / _config.Heads));
        var x = input.to(_query.ComputeType); // once, not in each of the three
        var (query, key, value) = (Heads(_query.call(x)), Heads(_key.call(x)), Heads(_value.call(x)));
        // Fused where nobody asks for gradients: scores of all heads take longer to write down than to compute. Backward, and on the CPU in bf16, it is several times slower.
        var mixed = is_grad_enabled() || (x.dtype != ScalarType.Float32 && x.device_type == DeviceType.CPU)
            ? query.mul(scale).matmul(key.transpose(-1, -2)).softmax(-1).matmul(value)
            : nn.functional.scaled_dot_product_attention(query, key, value);
        return _output.call(mixed.transpose(1, 2).reshape(input.shape));
    }

    /// <summary>(images, positions, hidden) → (images, heads, positions, head size).</summary>
    private Tensor Heads(Tensor x) => x.view(x.shape[0], x.shape[1], _config.Heads, -1).transpose(1, 2);
}

/// <summary>fc1 → activation → fc2, with biases.</summary>
public sealed class EncoderMlp : nn.Module<Tensor, Tensor>
{
    private const double QuickGeluSlope = 1.702;

    private readonly bool _usesQuickGelu;

    [ComponentName(Name = "fc1")]
    private readonly LinearLayer _up;

    [ComponentName(Name = "fc2")]
    private readonly LinearLayer _down;

    /// <summary>Makes the projections with uninitialised weights.</summary>
    public EncoderMlp(VisionConfig config)
        : base(nameof(EncoderMlp))
    {
        _usesQuickGelu = config.UsesQuickGelu;
        _up = new LinearLayer(config.HiddenSize, config.IntermediateSize, hasBias: true);
        _down = new LinearLayer(config.IntermediateSize, config.HiddenSize, hasBias: true);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        var hidden = _up.call(input);
        // One pass where sigmoid and product would be two: x·σ(1.702·x) = silu(1.702·x) / 1.702.
        return _down.call(_usesQuickGelu ? nn.functional.silu(hidden.mul(Scalars.Of(QuickGeluSlope))).mul(Scalars.Of(1 / QuickGeluSlope)) : nn.functional.gelu(hidden));
    }
}

/// <summary>LayerNorm computed in float32.</summary>
public sealed class LayerNormLayer : nn.Module<Tensor, Tensor>
{
    private readonly double _epsilon;

    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    [ComponentName(Name = "bias")]
    private readonly Parameter? _bias;

    /// <summary>Makes the layer with uninitialised weights of shape (size).</summary>
    public LayerNormLayer(long size, double epsilon, bool hasBias = true)
        : base(nameof(LayerNormLayer))
    {
        _epsilon = epsilon;
        _weight = nn.Parameter(empty(size));
        _bias = hasBias ? nn.Parameter(empty(size)) : null;
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => nn.functional.layer_norm(
        input.to(ScalarType.Float32), [input.shape[^1]], _weight.to(ScalarType.Float32), _bias?.to(ScalarType.Float32), _epsilon);
}
