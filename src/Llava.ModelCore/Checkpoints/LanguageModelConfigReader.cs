namespace Llava.ModelCore.Checkpoints;

/// <summary>Reads the decoder's fields; those absent have the model library's defaults for LLaMA or Mistral (spec 1.4.1, 2.11).</summary>
internal static class LanguageModelConfigReader
{
    private static readonly string[] ModelTypes = ["llama", "llava", "llava_llama", "mistral", "llava_mistral"];

    /// <exception cref="CheckpointException">A field is out of range, or the decoder is of another family.</exception>
    public static LanguageModelConfig Read(ConfigSection config)
    {
        if (MptConfigReader.Applies(config))
        {
            return MptConfigReader.Read(config);
        }

        var type = config.Choice("model_type", ModelTypes) ?? "llama";
        var isMistral = type.Contains("mistral", StringComparison.Ordinal);
        RequireLlamaBlock(config);
        var heads = config.Integer("num_attention_heads", 32, max: 4096);
        var read = new LanguageModelConfig
        {
            VocabularySize = config.Integer("vocab_size", 32_000, max: 10_000_000),
            HiddenSize = config.Integer("hidden_size", 4096, max: 1_000_000),
            IntermediateSize = config.Integer("intermediate_size", isMistral ? 14_336 : 11_008, max: 10_000_000),
            Layers = config.Integer("num_hidden_layers", 32, max: 10_000),
            Heads = heads,
            KeyValueHeads = config.Integer("num_key_value_heads", isMistral && heads % 8 == 0 ? 8 : heads, max: heads),
            HeadSize = config.Integer("head_dim", 0),
            NormEpsilon = config.Number("rms_norm_eps", 1e-6, 0, 1),
            MaxPositions = config.Integer("max_position_embeddings", isMistral ? 131_072 : 2048),
            RopeTheta = Rope(config).Number("rope_theta", config.Number("rope_theta", 10_000, 1, 1e12), 1, 1e12),
            RopeScaling = Scaling(config),
            TieEmbeddings = config.Boolean("tie_word_embeddings", false),
        };
        return read.Heads % read.KeyValueHeads != 0 ? throw config.Wrong("num_key_value_heads", $"a divisor of num_attention_heads ({heads})")
            : !config.Has("head_dim") && read.HiddenSize % heads != 0 ? throw config.Wrong("hidden_size", $"a multiple of num_attention_heads ({heads})")
            : read.HeadSize % 2 != 0 ? throw config.Wrong(config.Has("head_dim") ? "head_dim" : "hidden_size", "such that the size of a head is even, for rotary positions")
            : read;
    }

    /// <summary>Tokens a sequence may have: within a sliding window, full attention is the same thing.</summary>
    public static int ContextLength(ConfigSection config, LanguageModelConfig model) => Math.Min(
        config.OptionalInteger("max_sequence_length") ?? model.MaxPositions,
        config.OptionalInteger("sliding_window", min: 0) is { } window and > 0 ? window : int.MaxValue);

    private static void RequireLlamaBlock(ConfigSection config)
    {
        config.Choice("hidden_act", "silu", "swish");
        foreach (var bias in (string[])["attention_bias", "mlp_bias"])
        {
            if (config.Boolean(bias, false))
            {
                throw config.Wrong(bias, "false: decoders with biases are of a family that is not supported");
            }
        }
    }

    /// <summary>Newer configs gather theta and scaling in rope_parameters.</summary>
    private static ConfigSection Rope(ConfigSection config) => config.Section("rope_parameters") ?? config;

    private static RopeScaling? Scaling(ConfigSection config)
    {
        if ((config.Section("rope_scaling") ?? config.Section("rope_parameters")) is not { } scaling)
        {
            return null;
        }

        var field = scaling.Has("type") ? "type" : "rope_type";
        return scaling.Choice(field, "linear", "dynamic", "default") switch
        {
            "linear" => new RopeScaling(RopeScalingKind.Linear, Factor(scaling)),
            "dynamic" => new RopeScaling(RopeScalingKind.Dynamic, Factor(scaling)),
            "default" => null,
            null when !scaling.Has("factor") => null,
            _ => throw scaling.Wrong(field, "linear or dynamic"),
        };
    }

    private static double Factor(ConfigSection scaling) => scaling.OptionalNumber("factor", 1, 1e6)
        ?? throw scaling.Wrong("factor", "a number greater than 1");
}
