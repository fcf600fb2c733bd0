using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Shim;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>x·rsqrt(mean(x²) + ε)·w, the root in float32 (Zhang and Sennrich 2019; spec 1.4.1).</summary>
public sealed class RmsNorm : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    private static readonly Lazy<TorchOperator> Fused = new(() => new("aten::rms_norm"));

    private readonly double _epsilon;

    /// <summary>Makes the layer with uninitialised weights of shape (size).</summary>
    public RmsNorm(long size, double epsilon)
        : base(nameof(RmsNorm))
    {
        _epsilon = epsilon;
        _weight = nn.Parameter(empty(size));
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        if (input.device_type == DeviceType.CUDA && input.dtype == ScalarType.Float32 && _weight.dtype == ScalarType.Float32)
        {
            return AtOnce(input);
        }

        var x = input.to(ScalarType.Float32);
        var scale = x.square().mean([-1L], keepdim: true).add(Scalars.Of(_epsilon)).rsqrt();
        return (x * scale).to(input.dtype) * _weight.to(input.dtype);
    }

    /// <summary>The same to rounding, by libtorch's operator, which on CUDA is one kernel forward and few backward.</summary>
    internal Tensor AtOnce(Tensor input) =>
        StableShim.Wrap(Fused.Value.Invoke(input.Handle, (long[])[input.shape[^1]], ((ShimValue)_weight.Handle).Given(), ((ShimValue)_epsilon).Given()));
}
