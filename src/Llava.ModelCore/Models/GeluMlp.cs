using Llava.ModelCore.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>MPT's down(gelu(up(x))) with the exact GELU, without biases (spec 1.4.2).</summary>
public sealed class GeluMlp : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "up_proj")]
    private readonly LinearLayer _up;

    [ComponentName(Name = "down_proj")]
    private readonly LinearLayer _down;

    /// <summary>Makes the projections with uninitialised weights.</summary>
    public GeluMlp(LanguageModelConfig config)
        : base(nameof(GeluMlp))
    {
        _up = new LinearLayer(config.HiddenSize, config.IntermediateSize, hasBias: false);
        _down = new LinearLayer(config.IntermediateSize, config.HiddenSize, hasBias: false);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => _down.call(nn.functional.gelu(_up.call(input))).to(input.dtype);
}
