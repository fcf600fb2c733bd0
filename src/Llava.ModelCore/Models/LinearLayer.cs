using Llava.ModelCore.Adapters;
using Llava.ModelCore.Native;
using Llava.ModelCore.Quantization;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>y = x·Wᵀ + b, computed in <see cref="ComputeType"/> whatever type the weight is kept in.</summary>
/// <remarks>
/// Training keeps fp32 master weights and computes in bf16; the cast is part of the graph, so gradients arrive in fp32. A frozen weight may be kept in NF4,
/// and an adapter may stand beside it.
/// </remarks>
public sealed class LinearLayer : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    [ComponentName(Name = "bias")]
    private readonly Parameter? _bias;

    private Nf4Weight? _quantized;
    private Func<Tensor, Tensor>? _product;
    private LoraFactors? _adapter;

    /// <summary>Makes the layer with uninitialised weights of shape (outputs, inputs).</summary>
    public LinearLayer(long inputs, long outputs, bool hasBias)
        : base(nameof(LinearLayer))
    {
        _weight = nn.Parameter(empty(outputs, inputs));
        _bias = hasBias ? nn.Parameter(empty(outputs)) : null;
        RegisterComponents();
    }

    /// <summary>Type the product is computed in. Default float32.</summary>
    public ScalarType ComputeType { get; set; } = ScalarType.Float32;

    /// <summary>The bias (outputs); null for none.</summary>
    public Tensor? Bias => _bias;

    /// <summary>Weight of shape (outputs, inputs).</summary>
    public Tensor Weight => _weight;

    /// <summary>The adapter beside the weight; null for none.</summary>
    public LoraFactors? Adapter => _adapter;

    /// <summary>Name of the adapter among the layer's parts.</summary>
    public const string AdapterName = "lora";

    /// <summary>Keeps the weight in NF4 from now on; it can be neither trained nor read any more.</summary>
    /// <exception cref="InvalidOperationException">The layer has a bias, which NF4 layers here do not.</exception>
    public void Quantize()
    {
        if (_bias is not null)
        {
            throw new InvalidOperationException("Only layers without a bias are kept in NF4.");
        }

        _quantized = Nf4Weight.Of(_weight);
        ConditionallyRegisterParameter("weight", null);
        _weight.Dispose();
    }

    /// <summary>Has the product computed elsewhere from now on; weight and bias are let go and can be neither trained nor read any more.</summary>
    /// <param name="product">(…, inputs) → (…, outputs), with the bias.</param>
    public void Replace(Func<Tensor, Tensor> product)
    {
        _product = product;
        ConditionallyRegisterParameter("weight", null);
        _weight.Dispose();
        if (_bias is not null)
        {
            ConditionallyRegisterParameter("bias", null);
            _bias.Dispose();
        }
    }

    /// <summary>Puts a new adapter beside the weight, where the weight is; do it before <see cref="Quantize"/>.</summary>
    /// <param name="rank">Width between the factors.</param>
    /// <param name="alpha">Strength; the scaling is alpha / rank.</param>
    /// <param name="dropout">Share of the inputs that are left out while training.</param>
    public LoraFactors Adapt(int rank, double alpha, double dropout)
    {
        _adapter = new LoraFactors(_weight.shape[1], _weight.shape[0], rank, alpha, dropout);
        _adapter.to(_weight.device);
        register_module(AdapterName, _adapter);
        return _adapter;
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        var x = input.to(ComputeType);
        if (_product is not null)
        {
            return _product(x);
        }

        var product = _quantized is null ? nn.functional.linear(x, _weight.to(ComputeType), _bias?.to(ComputeType)) : Nf4Product.Of(x, _quantized);
        return _adapter is null ? product : product.add(_adapter.call(x), Scalars.One);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _quantized?.Dispose();
        base.Dispose(disposing);
    }
}
