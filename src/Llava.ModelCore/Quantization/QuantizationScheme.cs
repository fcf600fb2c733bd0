namespace Llava.ModelCore.Quantization;

/// <summary>How a language model's weights are kept once they are loaded. Vision tower and projector keep theirs.</summary>
public enum QuantizationScheme
{
    /// <summary>As the checkpoint has them: bfloat16, half precision or float32. Answers are the original's.</summary>
    None,

    /// <summary>Groups of 32 in 8 bits with a scale: 8.5 bits per weight.</summary>
    Int8,

    /// <summary>Groups of 32 in 4 bits with a scale: 4.5 bits per weight; the output head in 8 bits.</summary>
    Int4,

    /// <summary>The values of bitsandbytes' NF4 with double quantization, in half precision: its answers, and 16 bits per weight all the same.</summary>
    Nf4,
}
