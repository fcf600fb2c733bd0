using Llava.ModelCore.Checkpoints;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>Maps vision features into the language model's embedding space (spec 1.3).</summary>
public sealed class Projector : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "layers")]
    private readonly ModuleList<LinearLayer> _layers;

    /// <summary>Makes the projector with uninitialised weights.</summary>
    public Projector(ProjectorConfig config)
        : base(nameof(Projector))
    {
        Config = config;
        _layers = new ModuleList<LinearLayer>([.. Enumerable.Range(0, config.Depth)
            .Select(i => new LinearLayer(i == 0 ? config.InputSize : config.OutputSize, config.OutputSize, hasBias: true))]);
        RegisterComponents();
    }

    /// <summary>Sizes.</summary>
    public ProjectorConfig Config { get; }

    /// <summary>(images, features, vision hidden) → (images, features, hidden).</summary>
    public override Tensor forward(Tensor input)
    {
        var hidden = input;
        for (var i = 0; i < _layers.Count; i++)
        {
            // The exact (erf) GELU stands between the layers.
            hidden = _layers[i].call(i == 0 ? hidden : nn.functional.gelu(hidden));
        }

        return hidden;
    }
}
