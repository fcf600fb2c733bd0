using System.Globalization;
using System.Text.Json;
using Llava.Contracts.Requests;

namespace Llava.Dashboard.OpenAi.FineTuning;

/// <summary>Reads what a job is asked to be; what is not done here is refused and never passed over.</summary>
internal static class FineTuningReader
{
    private const int DefaultSeed = 42;

    /// <summary>The request in our words.</summary>
    /// <exception cref="OpenAiException">A field is missing, wrong, or asks for what is not done here.</exception>
    public static TrainingRequest Read(FineTuningRequest body, string tenant)
    {
        RefuseUnsupported(body);
        var after = string.IsNullOrEmpty(body.After) ? null : body.After;
        var model = after is null ? Required(body.Model, "model") : body.Model ?? "";
        return new()
        {
            Tenant = tenant,
            Model = model,
            After = after,
            TrainingFile = Required(body.TrainingFile, "training_file"),
            ValidationFile = string.IsNullOrEmpty(body.ValidationFile) ? null : body.ValidationFile,
            Suffix = string.IsNullOrEmpty(body.Suffix) ? null : body.Suffix,
            Seed = Number<int>(body.Seed, "seed") ?? DefaultSeed,
            Priority = body.Priority ?? 0,
            Metadata = MetadataOf(body.Metadata),
            Promotion = PromotionReader.Read(body.Promotion, model),
            Settings = SettingsOf(body),
        };
    }

    private static void RefuseUnsupported(FineTuningRequest body)
    {
        if (body.Method is { Type: not (null or "supervised") } method)
        {
            throw Unsupported("method.type", $"is '{method.Type}'; models here learn from examples: give 'supervised'");
        }

        foreach (var (field, value, instead) in ((string, JsonElement?, string)[])
        [
            ("schedule", body.Schedule, "the learning rate follows a cosine after a short warm-up: leave it out"),
            ("resume_from", body.ResumeFrom, "name a fine-tuned model as 'model' to go on from it"),
            ("integrations", body.Integrations is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() == 0 ? null : body.Integrations, "metrics are in the job's events and its result file: leave it out"),
        ])
        {
            if (value is { ValueKind: not JsonValueKind.Null })
            {
                throw Unsupported(field, $"is not done here; {instead}");
            }
        }
    }

    private static TrainingSettings SettingsOf(FineTuningRequest body)
    {
        var given = body.Method?.Supervised?.Hyperparameters ?? body.Hyperparameters;
        if (given is { ValueKind: not (JsonValueKind.Object or JsonValueKind.Null) })
        {
            throw OpenAiException.Invalid("invalid_type", "'hyperparameters' must be an object.", "hyperparameters");
        }

        return new()
        {
            Mode = body.Mode switch
            {
                null or "full" => TrainingMode.Full,
                "projector" => TrainingMode.Projector,
                "lora" => TrainingMode.Lora,
                "qlora" => TrainingMode.QLora,
                "alignment" => TrainingMode.Alignment,
                _ => throw OpenAiException.Invalid("invalid_value", $"'mode' is '{body.Mode}'; give 'full', 'projector', 'lora', 'qlora' or 'alignment'.", "mode"),
            },
            Lora = AdapterOf(body.Lora),
            Optimizer = body.Optimizer switch
            {
                null or "adamw" => TrainingOptimizer.AdamW,
                "adamw8bit" => TrainingOptimizer.AdamW8Bit,
                "adafactor" => TrainingOptimizer.Adafactor,
                _ => throw OpenAiException.Invalid("invalid_value", $"'optimizer' is '{body.Optimizer}'; give 'adamw', 'adamw8bit' or 'adafactor'.", "optimizer"),
            },
            Epochs = Number<int>(Field("n_epochs"), "hyperparameters.n_epochs"),
            BatchSize = Number<int>(Field("batch_size"), "hyperparameters.batch_size"),
            LearningRateMultiplier = Number<double>(Field("learning_rate_multiplier"), "hyperparameters.learning_rate_multiplier"),
            LearningRate = Number<double>(body.LearningRate ?? Field("learning_rate"), "learning_rate"),
            MaxSteps = Number<int>(body.MaxSteps ?? Field("max_steps"), "max_steps"),
            SaveEvery = Number<int>(body.SaveEvery ?? Field("save_every"), "save_every"),
            EvalEvery = Number<int>(body.EvalEvery ?? Field("eval_every"), "eval_every"),
        };

        JsonElement? Field(string name) => given is { ValueKind: JsonValueKind.Object } fields && fields.TryGetProperty(name, out var value) ? value : null;
    }

    private static AdapterSettings? AdapterOf(JsonElement? lora)
    {
        if (lora is null or { ValueKind: JsonValueKind.Null })
        {
            return null;
        }

        if (lora is not { ValueKind: JsonValueKind.Object } fields)
        {
            throw OpenAiException.Invalid("invalid_type", "'lora' must be an object with 'r', 'alpha' and 'dropout'.", "lora");
        }

        if (fields.TryGetProperty("targets", out _))
        {
            throw Unsupported("lora.targets", "is not done here; every linear layer of the decoder but the head is adapted: leave it out");
        }

        return new() { Rank = Number<int>(Field("r"), "lora.r"), Alpha = Number<double>(Field("alpha"), "lora.alpha"), Dropout = Number<double>(Field("dropout"), "lora.dropout") };

        JsonElement? Field(string name) => fields.TryGetProperty(name, out var value) ? value : null;
    }

    /// <summary>A number; null for <c>auto</c> and for nothing.</summary>
    private static T? Number<T>(JsonElement? value, string field)
        where T : struct, IParsable<T> => value switch
        {
            null or { ValueKind: JsonValueKind.Null } => null,
            { ValueKind: JsonValueKind.String } text when text.GetString() == "auto" => null,
            { ValueKind: JsonValueKind.Number } number when T.TryParse(number.GetRawText(), CultureInfo.InvariantCulture, out var parsed) => parsed,
            _ => throw OpenAiException.Invalid("invalid_type", $"'{field}' is {value.Value.GetRawText()}; give {(typeof(T) == typeof(int) ? "a whole number" : "a number")} or 'auto'.", field),
        };

    private static Dictionary<string, string>? MetadataOf(JsonElement? metadata)
    {
        if (metadata is null or { ValueKind: JsonValueKind.Null })
        {
            return null;
        }

        return metadata is { ValueKind: JsonValueKind.Object } pairs && pairs.EnumerateObject().All(pair => pair.Value.ValueKind == JsonValueKind.String)
            ? pairs.EnumerateObject().ToDictionary(pair => pair.Name, pair => pair.Value.GetString()!)
            : throw OpenAiException.Invalid("invalid_type", "'metadata' must be an object of texts.", "metadata");
    }

    private static string Required(string? value, string field) =>
        string.IsNullOrEmpty(value) ? throw OpenAiException.Invalid("missing_required_parameter", $"'{field}' is missing.", field) : value;

    private static OpenAiException Unsupported(string field, string what) => OpenAiException.Invalid("unsupported_parameter", $"'{field}' {what}.", field);
}
