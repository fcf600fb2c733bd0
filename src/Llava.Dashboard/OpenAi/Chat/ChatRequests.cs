using System.Text.Json;
using Llava.Contracts.Interactive;
using Llava.Dashboard.Api;
using Llava.Ledger.Promotions;
using Llava.Ledger.Training;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.OpenAi.Chat;

/// <summary>Reads requests as OpenAI's libraries send them and makes of them what consumers answer.</summary>
internal sealed class ChatRequests(OpenAiBody bodies, ChatImages images, ChatInputOptions limits, TrainedModelOwners owners, PromotionStore promotions)
{
    /// <summary>A conversation.</summary>
    /// <exception cref="OpenAiException">It is wrong, or asks for what is not done here.</exception>
    public async Task<(ChatRequest Request, ChatBody Body)> ReadChatAsync(HttpContext context, CancellationToken cancellation)
    {
        var body = await ReadAsync(context, cancellation);
        var settings = StructuredFields.Read(body, ChatSettingsReader.Read(body, new() { MaxNewTokens = limits.DefaultMaxTokens }));
        var messages = ChatMessages.Read(body.Messages, limits.Limits);
        var read = new Queue<byte[]>(await images.ReadAsync(messages.Turns.SelectMany(turn => turn.Images), Caller.Of(context.User), cancellation));
        return (new()
        {
            RequestId = OpenAiErrors.RequestIdOf(context),
            Model = body.Model!,
            System = messages.System,
            Turns = [.. messages.Turns.Select(turn => new ChatTurn(turn.Speaker, turn.Text, [.. turn.Images.Select(_ => read.Dequeue())]))],
            Settings = settings,
        }, body);
    }

    /// <summary>A text to be continued.</summary>
    /// <exception cref="OpenAiException">It is wrong, or asks for what is not done here.</exception>
    public async Task<(ChatRequest Request, ChatBody Body)> ReadTextAsync(HttpContext context, CancellationToken cancellation)
    {
        const int DefaultMaxTokens = 16;
        var body = await ReadAsync(context, cancellation);
        if (body.Logprobs is { ValueKind: not JsonValueKind.Null })
        {
            throw OpenAiException.Invalid("unsupported_parameter", "'logprobs' is not supported here; /v1/chat/completions has them. Leave it out.", "logprobs");
        }

        return (new()
        {
            RequestId = OpenAiErrors.RequestIdOf(context),
            Model = body.Model!,
            Plain = PromptOf(body),
            Settings = StructuredFields.Read(body, ChatSettingsReader.Read(body, new() { MaxNewTokens = DefaultMaxTokens })),
        }, body);
    }

    private async Task<ChatBody> ReadAsync(HttpContext context, CancellationToken cancellation)
    {
        var body = await bodies.ReadAsync(context.Request, ChatBodyJson.Default.ChatBody, cancellation);
        var caller = Caller.Of(context.User);
        await RequireModelAsync(body.Model, owners, caller, cancellation);
        body = body with { Model = await promotions.TargetAsync(caller.Tenant, body.Model!, cancellation) ?? body.Model };
        UnsupportedFields.Refuse(body);
        return body.StreamOptions is null || body.Stream == true
            ? body
            : throw OpenAiException.Invalid("invalid_value", "'stream_options' needs 'stream' to be true.", "stream_options");
    }

    private string PromptOf(ChatBody body)
    {
        var prompt = body.Prompt switch
        {
            { ValueKind: JsonValueKind.String } text => text.GetString()!,
            { ValueKind: JsonValueKind.Array } list when list.GetArrayLength() == 1 && list[0].ValueKind == JsonValueKind.String => list[0].GetString()!,
            _ => throw OpenAiException.Invalid("invalid_value", "'prompt' must be one text.", "prompt"),
        };
        return prompt.Length <= limits.MaxCharacters
            ? prompt
            : throw OpenAiException.Invalid("invalid_value", FormattableString.Invariant($"'prompt' has {prompt.Length} characters and the limit is {limits.MaxCharacters}."), "prompt");
    }

    /// <exception cref="OpenAiException">No model is named, or another tenant's.</exception>
    public static async Task RequireModelAsync(string? model, TrainedModelOwners owners, Caller caller, CancellationToken cancellation)
    {
        if (string.IsNullOrEmpty(model))
        {
            throw OpenAiException.Invalid("missing_required_parameter", "'model' is missing; GET /v1/models lists those there are.", "model");
        }

        if (!await owners.MayUseAsync(caller.Confinement, model, cancellation))
        {
            throw OpenAiException.NotFound("model_not_found", $"There is no model '{model}' here; GET /v1/models lists those there are.", "model");
        }
    }
}
