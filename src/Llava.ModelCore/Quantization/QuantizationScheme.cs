using System.Text.Json.Serialization;

namespace Llava.ModelCore.Quantization;

/// <summary>How a language model's weights are kept once they are loaded.</summary>
public enum QuantizationScheme
{
    /// <summary>As the checkpoint has them: bfloat16, half precision or float32. Answers are the original's.</summary>
    None,

    /// <summary>Groups of 32 in 8 bits with a scale: 8.5 bits per weight.</summary>
    Int8,

    /// <summary>Groups of 32 in 4 bits with a scale: 4.5 bits per weight; the output head in 8 bits.</summary>
    Int4,

    /// <summary>bitsandbytes' NF4 with double quantization, multiplied by as its values in half precision: what LLaVA answers with <c>--load-4bit</c>. About 4.2 bits per weight.</summary>
    Nf4,

    /// <summary>LLM.int8() of bitsandbytes: weights and tokens in 8 bits by the row, outliers of the tokens apart: what LLaVA computes with <c>--load-8bit</c>. 8.5 bits per weight.</summary>
    [JsonStringEnumMemberName("llmint8")]
    LlmInt8,

    /// <summary>Floating-point numbers of 8 bits (e4m3) with a scale for each row, multiplied by tokens in the same form; on a CUDA device alone. 8 bits per weight.</summary>
    Fp8,
}

/// <summary>What follows from a scheme.</summary>
public static class QuantizationSchemes
{
    /// <summary>Those that our own kernels on the CPU have, and checkpoints can be packed in, <see cref="QuantizationScheme.None"/> among them.</summary>
    public static IReadOnlyList<QuantizationScheme> OnCpu { get; } = [.. Enum.GetValues<QuantizationScheme>().Where(scheme => scheme != QuantizationScheme.Fp8)];

    /// <summary>How a scheme is written: in settings, files and the revision of a model.</summary>
    public static string Word(this QuantizationScheme scheme) => scheme.ToString().ToLowerInvariant();

    /// <summary>Whether keys, values and images are rounded to 16 bits beside it: not where a scheme is there for the original's answers.</summary>
    internal static bool RoundsActivations(this QuantizationScheme scheme) => scheme is QuantizationScheme.Int8 or QuantizationScheme.Int4;
}
