using System.Text.Json;
using Llava.Contracts.Interactive;
using Llava.Contracts.OpenAi;
using Llava.Contracts.Requests;

namespace Llava.Scheduler.Sources;

/// <summary>What the body of a line asks, read as the same request would be that somebody waits for.</summary>
/// <param name="Prompt">What the user says last, or the text to be continued.</param>
/// <param name="Images">All images, in order.</param>
/// <param name="Chat">What it asks for beyond one question with the job's settings; null for nothing.</param>
/// <param name="Model">The model that it asks instead of the job's; null for the job's.</param>
internal sealed record OpenAiQuestion(string Prompt, IReadOnlyList<ImageUrl> Images, ItemChat? Chat, string? Model)
{
    private static readonly ChatLimits Limits = new();

    /// <exception cref="OpenAiException">It is wrong, or asks for what items cannot do.</exception>
    public static OpenAiQuestion Read(JsonElement body, string endpoint, JobRequest job)
    {
        var fields = Parse(body);
        var model = ModelOf(fields.Model, job);
        UnsupportedFields.Refuse(fields);
        RequireOneAnswer(fields);
        var defaults = ChatSettings.Of(job.Generation);
        var settings = StructuredFields.Read(fields, ChatSettingsReader.Read(fields, defaults));
        if (endpoint == BatchEndpoints.Completions)
        {
            return new(PromptOf(fields), [], new() { Plain = true, Settings = settings }, model);
        }

        // Not those of the parsed body, which are copies: images are found again by their place in the line.
        var messages = ChatMessages.Read(body.TryGetProperty("messages", out var found) ? found : null, Limits);
        var last = messages.Turns[^1];
        ItemChat chat = new()
        {
            System = messages.System,
            Earlier = [.. messages.Turns.SkipLast(1).Select(turn => new EarlierTurn(turn.Speaker, turn.Text, turn.Images.Count))],
            Settings = settings,
        };
        // A line of a job that somebody gave settings is one of its questions, unless it says otherwise.
        var isQuestion = job.Source.Endpoint is null && chat is { System: null, Earlier.Count: 0 } && settings == defaults && fields.Seed is null;
        return new(last.Text, [.. messages.Turns.SelectMany(turn => turn.Images)], isQuestion ? null : chat, model);
    }

    private static ChatBody Parse(JsonElement body)
    {
        try
        {
            return body.Deserialize(ChatBodyJson.Default.ChatBody)!;
        }
        catch (JsonException wrong)
        {
            throw OpenAiException.OfJson(wrong);
        }
    }

    /// <summary>
    /// The model that a line asks instead of the job's; null for the job's. Jobs name models by folder or by name; a line may always use the
    /// last part of it, and need say nothing unless its job is a batch.
    /// </summary>
    /// <exception cref="OpenAiException">It asks for none that it may.</exception>
    public static string? ModelOf(string? model, JobRequest job)
    {
        if (model is null && job.Source.Endpoint is not null)
        {
            throw OpenAiException.Invalid("missing_required_parameter", "'model' is missing; GET /v1/models lists those there are.", "model");
        }

        if (model is null || model == job.Source.ModelAlias || IsNamed(job.Model))
        {
            return null;
        }

        return job.Source.Models.FirstOrDefault(IsNamed) ?? throw (job.Source.Endpoint is null
            ? OpenAiException.Invalid("mismatched_model", $"'model' is '{model}' and the job's is '{NameOf(job.Model)}'; give one job per model, or name the others in 'source.models'.", "model")
            : OpenAiException.Invalid("model_not_found", $"'model' is '{model}'; give one of {string.Join(", ", job.Source.Models.Prepend(job.Model).Select(NameOf))}.", "model"));

        bool IsNamed(string name) => model == name || model == NameOf(name);

        static string NameOf(string name) => Path.GetFileName(Path.TrimEndingDirectorySeparator(name));
    }

    private static void RequireOneAnswer(ChatBody body)
    {
        Require(body.Stream is null or false, "stream", "nobody waits for a batch; leave it out");
        Require(body.N is null or 1, "n", "a line has one answer; give as many lines as answers are wanted");
        Require(body.Logprobs is null or { ValueKind: JsonValueKind.Null or JsonValueKind.False }, "logprobs", "answers of a batch are kept without them; ask /v1/chat/completions");
    }

    private static string PromptOf(ChatBody body) => body.Prompt switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString()!,
        { ValueKind: JsonValueKind.Array } list when list.GetArrayLength() == 1 && list[0].ValueKind == JsonValueKind.String => list[0].GetString()!,
        _ => throw OpenAiException.Invalid("invalid_value", "'prompt' must be one text.", "prompt"),
    };

    private static void Require(bool holds, string field, string why)
    {
        if (!holds)
        {
            throw OpenAiException.Invalid("unsupported_parameter", $"'{field}' is not supported in a batch: {why}.", field);
        }
    }
}
