using Llava.ModelCore.Checkpoints.Quantized;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>Where the vision tower of a written checkpoint goes.</summary>
public enum VisionTowerPlacement
{
    /// <summary>Nowhere: the config keeps naming the tower it was trained with.</summary>
    Omitted,

    /// <summary>Into the checkpoint's own weights, its config and preprocessor in <c>vision_tower/</c>.</summary>
    Inside,

    /// <summary>Into <c>vision_tower/</c> as a folder of its own, which the original's loader can open.</summary>
    Beside,
}

/// <summary>How a checkpoint is written.</summary>
public sealed class CheckpointWriteOptions
{
    /// <summary>Type of the weights. Default float16, as published.</summary>
    public ScalarType StorageType { get; set; } = ScalarType.Float16;

    /// <summary>Where the vision tower goes. Default nowhere.</summary>
    public VisionTowerPlacement VisionTower { get; set; }

    /// <summary>Folder whose tokenizer files are copied; null copies none.</summary>
    public string? TokenizerFolder { get; set; }

    /// <summary>preprocessor_config.json to copy beside a written tower; null writes CLIP's for the tower's image size.</summary>
    public string? PreprocessorConfig { get; set; }

    /// <summary>Tokens and sampling for generation_config.json. Default: begin 1, end 2, as every LLaMA tokenizer has.</summary>
    public GenerationDefaults Generation { get; set; } = new() { BeginToken = 1, EndTokens = [2], PadToken = 0 };

    /// <summary>Conversation template the model was trained with (see <see cref="CheckpointFolder.ConversationTemplate"/>); null says nothing.</summary>
    public string? ConversationTemplate { get; set; }

    /// <summary>Largest shard, in bytes. Default 5 GB.</summary>
    public long ShardBytes { get; set; } = SafeTensorsWriter.DefaultShardBytes;

    /// <summary>Type of a parameter that is not <see cref="StorageType"/>, such as those of a tower that was published apart; null for none.</summary>
    internal Func<ModelParameter, ScalarType>? TypeOf { get; set; }

    /// <summary>Matrices that are packed already, in the place of the parameters that they hold; null writes every parameter.</summary>
    internal PackedWeights? Packed { get; set; }

    /// <summary>Whether only the projector was trained (<c>tune_mm_mlp_adapter</c>). Default false.</summary>
    public bool OnlyProjectorTrained { get; set; }
}
