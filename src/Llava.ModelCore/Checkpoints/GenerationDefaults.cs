namespace Llava.ModelCore.Checkpoints;

/// <summary>What a checkpoint's generation_config.json sets for anything a caller does not (spec 2.2). Null where it says nothing.</summary>
public sealed record GenerationDefaults
{
    /// <summary>Tokens that end an answer.</summary>
    public IReadOnlyList<int> EndTokens { get; init; } = [];

    /// <summary>Token every prompt starts with.</summary>
    public int? BeginToken { get; init; }

    /// <summary>Token for padding.</summary>
    public int? PadToken { get; init; }

    /// <summary>Whether the checkpoint asks for sampling (<c>do_sample</c>).</summary>
    public bool? Samples { get; init; }

    /// <summary>Temperature.</summary>
    public double? Temperature { get; init; }

    /// <summary>Nucleus share.</summary>
    public double? TopP { get; init; }

    /// <summary>Most likely tokens kept; 0 keeps all.</summary>
    public int? TopK { get; init; }

    /// <summary>Penalty on tokens already seen; 1 is none.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>Longest answer, in tokens.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>
    /// Divides the log-probabilities of scored choices before they become shares, so that these can be believed (temperature scaling); above 1 where the model is
    /// too sure of itself. A field of ours, measured by <c>llava scenes calibrate</c>.
    /// </summary>
    public double? ChoiceTemperature { get; init; }

    /// <summary>From a folder's generation_config.json; tokens it does not name come from config.json.</summary>
    /// <param name="folder">The checkpoint.</param>
    /// <param name="config">config.json, or its text_config.</param>
    internal static GenerationDefaults Read(string folder, ConfigSection config)
    {
        var file = Path.Combine(folder, "generation_config.json");
        var section = File.Exists(file) ? ConfigSection.Read(file) : config;
        var ends = section.Integers("eos_token_id");
        return new GenerationDefaults
        {
            EndTokens = ends.Count > 0 ? ends : config.Integers("eos_token_id") is { Count: > 0 } fromConfig ? fromConfig : [2],
            BeginToken = Token(section, "bos_token_id") ?? Token(config, "bos_token_id") ?? 1,
            PadToken = Token(section, "pad_token_id") ?? Token(config, "pad_token_id"),
            Samples = section.Has("do_sample") ? section.Boolean("do_sample", false) : null,
            Temperature = section.OptionalNumber("temperature", 0, 1000),
            TopP = section.OptionalNumber("top_p", 0, 1),
            TopK = section.OptionalInteger("top_k", min: 0),
            RepetitionPenalty = section.OptionalNumber("repetition_penalty", 1e-6, 1000),
            MaxNewTokens = section.OptionalInteger("max_new_tokens"),
            ChoiceTemperature = section.OptionalNumber("choice_temperature", 0.01, 100),
        };
    }

    /// <summary>A negative id (some files say −1) means none.</summary>
    private static int? Token(ConfigSection section, string name) =>
        section.OptionalInteger(name, min: int.MinValue) is { } id and >= 0 ? id : null;
}
