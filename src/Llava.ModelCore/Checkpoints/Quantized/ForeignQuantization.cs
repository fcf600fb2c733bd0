namespace Llava.ModelCore.Checkpoints.Quantized;

/// <summary>Weights that other programs quantized. Those of bitsandbytes are read (<see cref="BitsAndBytesTensors"/>), others are refused by name.</summary>
internal static class ForeignQuantization
{
    private const string BitsAndBytes = "bitsandbytes";

    // GPTQ has AWQ's tensors too, and one of its own.
    private static readonly (string Method, string Name, string[] Tensors)[] Known =
    [
        ("gptq", "GPTQ", [".g_idx"]),
        ("awq", "AWQ", [".qweight", ".qzeros"]),
        ("compressed-tensors", "compressed-tensors", [".weight_packed"]),
    ];

    /// <summary>Refuses weights that cannot be read, saying what would work.</summary>
    /// <exception cref="CheckpointException">The config or the tensors are of such a program.</exception>
    public static void Refuse(ConfigSection config, ITensorSource tensors)
    {
        var section = SectionOf(config);
        var method = section?.Text("quant_method") ?? (section is null ? null : BitsAndBytes);
        var found = Known.FirstOrDefault(known => known.Method == method
            || known.Tensors.Any(suffix => tensors.Entries.Any(entry => entry.Name.EndsWith(suffix, StringComparison.Ordinal))));
        if (found.Name is null && method is null or BitsAndBytes)
        {
            return;
        }

        var bits = section?.OptionalInteger("bits") ?? section?.OptionalInteger("w_bit");
        throw new CheckpointException($"'{config.File}' describes weights that {found.Name ?? method} quantized{(bits is null ? "" : $" to {bits} bits")}, a layout that is not read. "
            + $"Use the unquantized checkpoint that it was made from with --quantize {(bits is > 4 ? "int8" : "int4")}, which takes about as much memory; weights that bitsandbytes quantized (NF4, FP4, int8) are read as they are.");
    }

    /// <summary>From where LLM.int8() keeps outliers apart; null where the config says nothing of it.</summary>
    public static double? OutlierThreshold(ConfigSection config) => SectionOf(config)?.OptionalNumber("llm_int8_threshold", 0, float.MaxValue);

    private static ConfigSection? SectionOf(ConfigSection config) => config.Section("quantization_config") ?? config.Section("text_config")?.Section("quantization_config");
}
