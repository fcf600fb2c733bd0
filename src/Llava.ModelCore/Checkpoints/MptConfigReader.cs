namespace Llava.ModelCore.Checkpoints;

/// <summary>Reads MPT's fields; those absent have the defaults of its own configuration class (spec 1.4.2).</summary>
internal static class MptConfigReader
{
    private const int WidestMlp = 64;

    /// <summary>Whether a config is MPT's.</summary>
    public static bool Applies(ConfigSection config) => config.Text("model_type") is "mpt" or "llava_mpt";

    /// <exception cref="CheckpointException">A field is out of range, or asks for a part of MPT that LLaVA's models do not have.</exception>
    public static LanguageModelConfig Read(ConfigSection config)
    {
        var attention = config.Section("attn_config") ?? throw config.Wrong("attn_config", "an object with 'alibi': true; learned positions are not supported");
        Require(config, attention);
        var hidden = config.Integer("d_model", 2048, max: 1_000_000);
        var heads = config.Integer("n_heads", 16, max: 4096);
        return hidden % heads != 0 ? throw config.Wrong("d_model", $"a multiple of n_heads ({heads})") : new LanguageModelConfig
        {
            VocabularySize = config.Integer("vocab_size", 50_368, max: 10_000_000),
            HiddenSize = hidden,
            IntermediateSize = hidden * config.Integer("expansion_ratio", 4, max: WidestMlp),
            Layers = config.Integer("n_layers", 24, max: 10_000),
            Heads = heads,
            KeyValueHeads = heads,
            NormEpsilon = 1e-5,
            MaxPositions = config.Integer("max_seq_len", 2048),
            TieEmbeddings = true,
            Mpt = new MptSettings
            {
                AlibiBiasMax = attention.Number("alibi_bias_max", 8, 1, 64),
                ClipQkv = attention.OptionalNumber("clip_qkv", 1e-6, 1e6),
                SoftmaxScale = attention.OptionalNumber("softmax_scale", 1e-9, 1e6),
                LogitScale = LogitScale(config, hidden),
            },
        };
    }

    private static double? LogitScale(ConfigSection config, int hidden)
    {
        if (!config.IsText("logit_scale"))
        {
            return config.OptionalNumber("logit_scale", 1e-9, 1e6);
        }

        config.Choice("logit_scale", "inv_sqrt_d_model");
        return 1 / Math.Sqrt(hidden);
    }

    private static void Require(ConfigSection config, ConfigSection attention)
    {
        Expect(attention, "alibi", false, right: true, "learned positions are not supported");
        Expect(attention, "qk_ln", false, right: false, "norms on queries and keys are not supported");
        Expect(attention, "prefix_lm", false, right: false, "prefixes that see each other are not supported");
        Expect(attention, "attn_uses_sequence_id", false, right: false, "packed sequences are not supported");
        Expect(config, "no_bias", false, right: true, "decoders with biases are not supported");
        attention.Choice("attn_type", "multihead_attention");
        config.Choice("norm_type", "low_precision_layernorm", "layernorm");
    }

    private static void Expect(ConfigSection section, string field, bool absent, bool right, string why)
    {
        if (section.Boolean(field, absent) != right)
        {
            throw section.Wrong(field, $"{(right ? "true" : "false")}: {why}");
        }
    }
}
