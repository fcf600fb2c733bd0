using Llava.ModelCore.Imaging;

namespace Llava.ModelCore.Checkpoints;

/// <summary>Everything about a LLaVA checkpoint that decides how it computes, whatever layout it was read from.</summary>
public sealed record LlavaConfig
{
    /// <summary>The decoder.</summary>
    public required LanguageModelConfig LanguageModel { get; init; }

    /// <summary>The vision tower; null for a plain language model.</summary>
    public VisionConfig? Vision { get; init; }

    /// <summary>The projector; null for a plain language model.</summary>
    public ProjectorConfig? Projector { get; init; }

    /// <summary>How an image becomes a square (config field <c>image_aspect_ratio</c>). Default square: centre crop.</summary>
    public ImageAspect ImageAspect { get; init; }

    /// <summary>Whether each image is written as <c>&lt;im_start&gt;&lt;image&gt;&lt;im_end&gt;</c> (<c>mm_use_im_start_end</c>).</summary>
    public bool UseImageStartEnd { get; init; }

    /// <summary>
    /// Whether the tokenizer gains <c>&lt;im_patch&gt;</c> (<c>mm_use_im_patch_token</c>; spec 1.10: absent means true). Default false.
    /// </summary>
    public bool UseImagePatchToken { get; init; }

    /// <summary>Positions kept after splicing (<c>tokenizer_model_max_length</c>); null keeps all.</summary>
    public int? MaxSplicedPositions { get; init; }

    /// <summary>Name or relative folder of the vision tower (<c>mm_vision_tower</c>), for checkpoints that do not contain it.</summary>
    public string? VisionTowerName { get; init; }
}

/// <summary>A decoder of the LLaMA family (spec 1.4.1), or MPT (spec 1.4.2).</summary>
public sealed record LanguageModelConfig
{
    /// <summary>Rows of the embedding table.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width of the gated MLP.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Decoder layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Key and value heads; fewer than <see cref="Heads"/> means grouped-query attention.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Size of one head. Default: hidden size / heads.</summary>
    public int HeadSize { get => field > 0 ? field : HiddenSize / Heads; init; }

    /// <summary>Epsilon of RMSNorm.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>Positions the model was trained for, in tokens.</summary>
    public int MaxPositions { get; init; } = 2048;

    /// <summary>Base of the rotary embedding. Default 10000.</summary>
    public double RopeTheta { get; init; } = 10_000;

    /// <summary>Scaling of rotary positions; null for none.</summary>
    public RopeScaling? RopeScaling { get; init; }

    /// <summary>Whether the output head shares the embedding table.</summary>
    public bool TieEmbeddings { get; init; }

    /// <summary>Magnitude from which LLM.int8() keeps a column of the activations apart (<c>llm_int8_threshold</c>); 0 for never. Default 6, as bitsandbytes.</summary>
    public double OutlierThreshold { get; init; } = 6;

    /// <summary>What only MPT has; null for the LLaMA family.</summary>
    public MptSettings? Mpt { get; init; }
}

/// <summary>
/// What sets MPT apart from LLaMA (spec 1.4.2): LayerNorm without bias for RMSNorm, linear biases for rotary positions, an MLP without a gate, and the head is the
/// embedding table.
/// </summary>
public sealed record MptSettings
{
    /// <summary>Exponent of the last head's slope: 2^−this.</summary>
    public double AlibiBiasMax { get; init; } = 8;

    /// <summary>Largest magnitude of queries, keys and values; null for any.</summary>
    public double? ClipQkv { get; init; }

    /// <summary>Factor on the scores; null for 1/√head size.</summary>
    public double? SoftmaxScale { get; init; }

    /// <summary>Factor on the logits; null for none.</summary>
    public double? LogitScale { get; init; }
}

/// <summary>Rotary position scaling (spec 1.4.1).</summary>
/// <param name="Kind">Linear divides positions; dynamic raises the base once a sequence is longer than <see cref="LanguageModelConfig.MaxPositions"/>.</param>
/// <param name="Factor">Greater than 1.</param>
public sealed record RopeScaling(RopeScalingKind Kind, double Factor);

/// <summary>Kind of rotary scaling.</summary>
public enum RopeScalingKind
{
    /// <summary>Positions are divided by the factor.</summary>
    Linear,

    /// <summary>The base grows with the sequence (NTK aware).</summary>
    Dynamic,
}

/// <summary>A CLIP vision transformer (spec 1.2).</summary>
public sealed record VisionConfig
{
    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width of the MLP.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Encoder layers in the checkpoint; those after the selected one are not computed.</summary>
    public required int Layers { get; init; }

    /// <summary>Attention heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Side of the square input, in pixels.</summary>
    public required int ImageSize { get; init; }

    /// <summary>Side of a patch, in pixels.</summary>
    public required int PatchSize { get; init; }

    /// <summary>Epsilon of LayerNorm. Default 1e-5.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Whether the MLP uses x·sigmoid(1.702·x) (CLIP as published) instead of the exact GELU.</summary>
    public bool UsesQuickGelu { get; init; } = true;

    /// <summary>Which hidden state is the feature, counted as in Python: −2 is the output of the last but one layer.</summary>
    public int SelectLayer { get; init; } = -2;

    /// <summary>Whether the class token is kept as the first feature (<c>cls_patch</c>).</summary>
    public bool KeepsClassToken { get; init; }

    /// <summary>Patches per image.</summary>
    public int Patches => ImageSize / PatchSize * (ImageSize / PatchSize);

    /// <summary>Feature vectors per image.</summary>
    public int Features => Patches + (KeepsClassToken ? 1 : 0);

    /// <summary>Encoder layers whose output is needed for the selected hidden state.</summary>
    public int LayersUsed => SelectLayer >= 0 ? SelectLayer : Layers + 1 + SelectLayer;
}

/// <summary>The projector from vision features to the language model's width (spec 1.3).</summary>
public sealed record ProjectorConfig
{
    /// <summary>Width of the vision features.</summary>
    public required int InputSize { get; init; }

    /// <summary>Width of the language model.</summary>
    public required int OutputSize { get; init; }

    /// <summary>Linear layers: 0 is the identity, 1 is <c>linear</c>, N is <c>mlpNx_gelu</c>.</summary>
    public required int Depth { get; init; }
}
