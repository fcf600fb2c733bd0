using System.Text.RegularExpressions;

namespace Llava.ModelCore.Checkpoints;

/// <summary>How a checkpoint names its tensors (spec 2.2 and 2.11).</summary>
public enum CheckpointLayout
{
    /// <summary>A LLaMA-family decoder alone; it answers text-only prompts.</summary>
    PlainLanguageModel,

    /// <summary>The original LLaVA: <c>model.mm_projector</c>, tower inside or in a folder of its own.</summary>
    LlavaOriginal,

    /// <summary>llava-hf up to transformers 4.51, and the files on the hub: <c>language_model.model</c>.</summary>
    HfOld,

    /// <summary>llava-hf since transformers 4.52: <c>model.language_model</c>.</summary>
    HfNew,
}

/// <summary>Translates our parameter names into a layout's.</summary>
internal sealed partial record LayoutNames(string Decoder, string Head, string Vision, string Projector, bool ProjectorIsHf)
{
    /// <summary>MPT's words for the parts of a block; its <c>Wqkv</c> is read through <see cref="FusedProjections"/>.</summary>
    private static readonly (string Ours, string Theirs)[] MptWords =
    [
        ("embed_tokens.", "wte."), ("layers.", "blocks."), (".input_layernorm.", ".norm_1."), (".post_attention_layernorm.", ".norm_2."), (".self_attn.o_proj.", ".attn.out_proj."),
        (".self_attn.", ".attn."), (".mlp.", ".ffn."),
    ];

    private const string PositionsKey = "embeddings.class_embedding";

    /// <summary>The names of a layout.</summary>
    /// <param name="layout">The layout.</param>
    /// <param name="vision">What the vision tower's names start with, where it is not the layout's usual.</param>
    /// <param name="isMpt">Whether the decoder is MPT.</param>
    public static LayoutNames Of(CheckpointLayout layout, string? vision = null, bool isMpt = false) => layout switch
    {
        _ when isMpt => new("transformer.", "lm_head.", vision ?? "transformer.vision_tower.vision_tower.vision_model.", "transformer.mm_projector.", false) { IsMpt = true },
        CheckpointLayout.HfOld => new("language_model.model.", "language_model.lm_head.", vision ?? "vision_tower.vision_model.", "multi_modal_projector.linear_", true),
        CheckpointLayout.HfNew => new("model.language_model.", "lm_head.", vision ?? "model.vision_tower.vision_model.", "model.multi_modal_projector.linear_", true),
        _ => new("model.", "lm_head.", vision ?? "model.vision_tower.vision_tower.vision_model.", "model.mm_projector.", false),
    };

    /// <summary>Whether the decoder is MPT, whose blocks have words of their own.</summary>
    public bool IsMpt { get; private init; }

    /// <summary>What a vision tower's names start with in this source; null when it holds none.</summary>
    public static string? FindVision(ITensorSource tensors) => tensors.Entries
        .FirstOrDefault(e => e.Name.EndsWith(PositionsKey, StringComparison.Ordinal))?.Name[..^PositionsKey.Length];

    /// <summary>The file's name of one of our parameters.</summary>
    /// <param name="parameter">Name in our own layout.</param>
    /// <param name="projectorDepth">Linear layers of the projector: a single one has no index in the original layout.</param>
    public string InFile(string parameter, int projectorDepth)
    {
        if (parameter.StartsWith(ModelParameters.Projector, StringComparison.Ordinal))
        {
            var (layer, rest) = parameter[ModelParameters.Projector.Length..].Split('.') is [var index, var last] ? (int.Parse(index, null), last) : default;
            return ProjectorIsHf ? $"{Projector}{layer + 1}.{rest}"
                // The activations between the layers count too: 0, 2, 4 …
                : projectorDepth == 1 ? Projector + rest : $"{Projector}{2 * layer}.{rest}";
        }

        if (parameter.StartsWith(ModelParameters.VisionTower, StringComparison.Ordinal))
        {
            var rest = parameter[ModelParameters.VisionTower.Length..];
            return Vision + (rest.StartsWith("layers.", StringComparison.Ordinal) ? "encoder." + rest : rest);
        }

        var name = parameter[ModelParameters.LanguageModel.Length..];
        return name.StartsWith("lm_head.", StringComparison.Ordinal) ? Head + name["lm_head.".Length..] : Decoder + (IsMpt ? InMpt(name) : name);
    }

    /// <summary>Whether a tensor may be left unread: buffers, CLIP's text half, and what lies behind the selected hidden state.</summary>
    public bool IsIgnorable(string name, LlavaConfig config) =>
        Buffers().IsMatch(name) || ClipText().IsMatch(name)
        || (config.LanguageModel.TieEmbeddings && name.StartsWith(Head, StringComparison.Ordinal))
        || (config.Vision is { } vision && name.StartsWith(Vision, StringComparison.Ordinal) && IsBehindSelection(name[Vision.Length..], vision));

    private static string InMpt(string name) => name == "norm.weight" ? "norm_f.weight"
        : MptWords.Aggregate(name, (word, pair) => word.Replace(pair.Ours, pair.Theirs, StringComparison.Ordinal));

    private static bool IsBehindSelection(string name, VisionConfig vision) =>
        name.StartsWith("post_layernorm.", StringComparison.Ordinal)
        || (EncoderLayer().Match(name) is { Success: true } match && int.Parse(match.Groups[1].Value, null) is var layer
            && layer >= vision.LayersUsed && layer < vision.Layers);

    [GeneratedRegex(@"\.(rotary_emb\.inv_freq|position_ids|masked_bias)$")]
    private static partial Regex Buffers();

    [GeneratedRegex(@"^(text_model\..*|text_projection\..*|visual_projection\..*|logit_scale)$")]
    private static partial Regex ClipText();

    [GeneratedRegex(@"^encoder\.layers\.(\d{1,6})\.")]
    private static partial Regex EncoderLayer();
}
