namespace Llava.ModelCore.Training;

/// <summary>A low-rank adapter on every linear layer of the decoder but the head (spec 7.8). The defaults are those of LLaVA's published LoRA recipe.</summary>
public sealed record LoraRecipe
{
    /// <summary>Width between the factors (<c>lora_r</c>). Default 64.</summary>
    public int Rank { get; init; } = 64;

    /// <summary>Strength; the adapter is scaled by alpha / rank (<c>lora_alpha</c>). Default 16.</summary>
    public double Alpha { get; init; } = 16;

    /// <summary>Share of an adapter's inputs that are left out while training (<c>lora_dropout</c>). Default 0.05.</summary>
    public double Dropout { get; init; } = 0.05;

    /// <summary>Whether the weights beside the adapter are kept in NF4 with double quantization: QLoRA (spec 2.8). Default false.</summary>
    public bool Nf4 { get; init; }
}
