using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>y = x·Wᵀ + b, computed in <see cref="ComputeType"/> whatever type the weight is kept in.</summary>
/// <remarks>Training keeps fp32 master weights and computes in bf16; the cast is part of the graph, so gradients arrive in fp32.</remarks>
public sealed class LinearLayer : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    [ComponentName(Name = "bias")]
    private readonly Parameter? _bias;

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

    /// <summary>Weight of shape (outputs, inputs).</summary>
    public Tensor Weight => _weight;

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => nn.functional.linear(input.to(ComputeType), _weight.to(ComputeType), _bias?.to(ComputeType));
}
