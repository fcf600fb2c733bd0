using System.Text.Json;
using Llava.Contracts.Requests;

namespace Llava.Scheduler.Sources;

/// <summary>
/// Compares what a chat completion asks for with what its job does. Items carry no settings of their own, so a line may leave a
/// setting out or say what the job says.
/// </summary>
internal static class OpenAiSettings
{
    /// <summary>Fields that change no answer: labels, bookkeeping, and what is read elsewhere.</summary>
    private static readonly HashSet<string> Harmless = ["messages", "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"];

    /// <exception cref="RefusedLineException">It asks for something else; the message names the field.</exception>
    public static void Check(JsonElement body, JobRequest request)
    {
        foreach (var field in body.EnumerateObject().Where(field => field.Value.ValueKind != JsonValueKind.Null && !Harmless.Contains(field.Name)))
        {
            if (field.NameEquals("model"))
            {
                OpenAiBatchLine.Require(IsModel(field.Value, request.Model), "mismatched_model", $"its 'model' is {field.Value.GetRawText()} and the job's is '{request.Model}'; submit one job per model.");
            }
            else if (Expected(field.Name, request.Generation) is { } expected)
            {
                OpenAiBatchLine.Require(IsSame(field.Value, expected), "unsupported_parameter", $"its '{field.Name}' is {field.Value.GetRawText()} and the job's is {Shown(expected)}; give that, or another job with that setting.");
            }
            else
            {
                throw new RefusedLineException("unsupported_parameter", $"its '{field.Name}' is not supported; leave it out.");
            }
        }
    }

    /// <summary>What the job says where OpenAI's field has a word for it, or the value at which a field says nothing.</summary>
    private static object? Expected(string field, GenerationSettings job) => field switch
    {
        "max_tokens" or "max_completion_tokens" => (double)job.MaxNewTokens,
        "temperature" => job.Temperature,
        "top_p" => job.TopP,
        "top_k" => (double)job.TopK,
        "repetition_penalty" => job.RepetitionPenalty,
        "seed" => (double?)job.Seed ?? double.NaN,
        "stop" => job.StopStrings,
        "n" => 1.0,
        "presence_penalty" or "frequency_penalty" => 0.0,
        "stream" or "logprobs" => false,
        _ => null,
    };

    private static bool IsSame(JsonElement value, object expected) => expected switch
    {
        double number => value.ValueKind == JsonValueKind.Number && value.GetDouble() == number,
        bool truth => value.ValueKind == (truth ? JsonValueKind.True : JsonValueKind.False),
        IReadOnlyList<string> texts => value.ValueKind == JsonValueKind.String
            ? texts is [var only] && only == value.GetString()
            : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(text => text.ValueKind == JsonValueKind.String) && value.EnumerateArray().Select(text => text.GetString()!).SequenceEqual(texts),
        _ => false,
    };

    private static string Shown(object expected) => expected is double.NaN ? "not set" : JsonSerializer.Serialize(expected, RequestJson.Options);

    /// <summary>A job names its model by folder or by name; a line may always use the last part of it.</summary>
    private static bool IsModel(JsonElement value, string model) => value.ValueKind == JsonValueKind.String
        && (value.ValueEquals(model) || value.ValueEquals(Path.GetFileName(Path.TrimEndingDirectorySeparator(model))));
}
