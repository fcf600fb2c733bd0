using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>
/// Vision tower, projector and language model. Parameters are float32 and named as in our own layout:
/// <c>vision_tower.…</c>, <c>projector.layers.{i}.…</c>, <c>language_model.…</c>; the Checkpoints room maps every other layout to it.
/// </summary>
public sealed class LlavaModel : nn.Module
{
    [ComponentName(Name = "vision_tower")]
    private readonly VisionTower? _vision;

    [ComponentName(Name = "projector")]
    private readonly Projector? _projector;

    [ComponentName(Name = "language_model")]
    private readonly LanguageModel? _language;

    static LlavaModel() => TorchLibrary.EnsureLoaded();

    /// <summary>Makes the model with uninitialised weights.</summary>
    /// <param name="config">Sizes and rules.</param>
    /// <param name="hasLanguage">Whether the decoder is part of it. Default true; false where the decoder runs outside torch.</param>
    public LlavaModel(LlavaConfig config, bool hasLanguage = true)
        : base(nameof(LlavaModel))
    {
        Config = config;
        _vision = config.Vision is null ? null : new VisionTower(config.Vision);
        _projector = config.Projector is null ? null : new Projector(config.Projector);
        _language = hasLanguage ? new LanguageModel(config.LanguageModel) : null;
        RegisterComponents();
    }

    /// <summary>Sizes and rules.</summary>
    public LlavaConfig Config { get; }

    /// <summary>The decoder.</summary>
    /// <exception cref="InvalidOperationException">The model was made without it.</exception>
    public LanguageModel Language => _language ?? throw new InvalidOperationException("This model was made for its images alone; its decoder runs outside torch.");

    /// <summary>The vision tower.</summary>
    /// <exception cref="InvalidOperationException">The checkpoint is a plain language model.</exception>
    public VisionTower Vision => _vision ?? throw new InvalidOperationException("This checkpoint has no vision tower; it answers text-only prompts.");

    /// <summary>The projector.</summary>
    /// <exception cref="InvalidOperationException">The checkpoint is a plain language model.</exception>
    public Projector Projector => _projector ?? throw new InvalidOperationException("This checkpoint has no projector; it answers text-only prompts.");

    /// <summary>Normalised pixels (images, 3, side, side) → image embeddings (images, features, hidden).</summary>
    public Tensor EncodeImages(Tensor pixels) => Projector.call(Vision.call(pixels));

    /// <summary>Moves the parts to their devices.</summary>
    public void Place(LayerPlacement placement)
    {
        _vision?.to(placement.First);
        _projector?.to(placement.First);
        _language?.Place(placement);
    }

    /// <summary>Sets the type matrix products are computed in; parameters and the residual stream stay as they are.</summary>
    public void ComputeIn(ScalarType type)
    {
        foreach (var module in modules())
        {
            switch (module)
            {
                case LinearLayer linear:
                    linear.ComputeType = type;
                    break;
                case PatchProjection patch:
                    patch.ComputeType = type;
                    break;
            }
        }
    }
}
