using System.Text;
using Llava.Contracts.Interactive;
using Llava.Dashboard.Api;
using Llava.Dashboard.Interactive;
using Llava.Dashboard.OpenApi;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.OpenAi.Chat;

/// <summary><c>POST /chat/completions</c>: a conversation, answered at once or as it is generated.</summary>
internal static class ChatEndpoint
{
    public static void MapChat(this RouteGroupBuilder api, ChatInputOptions limits) =>
        api.MapPost("/chat/completions", AnswerAsync).RequireRole(AccessRole.Operator).WithMetadata(new RequestSizeLimitAttribute(limits.MaxBodyBytes))
            .WithSummary("Answers a conversation, at once or as it is generated").Takes<ChatBody>().Produces<ChatCompletion>().Streams<ChatChunk>();

    private static async Task<IResult> AnswerAsync(HttpContext context, ChatRequests requests, ModelRouter models, TimeProvider time, CancellationToken cancellation)
    {
        var (request, body) = await requests.ReadChatAsync(context, cancellation);
        await using var chat = await InteractiveAnswers.AskAsync(() => models.ChatAsync(request, cancellation));
        AnswerHead head = new("chatcmpl-" + Guid.NewGuid().ToString("N"), time.GetUtcNow().ToUnixTimeSeconds(), request.Model, "fp_" + chat.Revision);
        if (body.Stream != true)
        {
            return Results.Json(await InteractiveAnswers.AskAsync(() => CollectAsync(chat, head, request.Settings)), ChatJson.Default.ChatCompletion);
        }

        await StreamedAnswer.SendAsync(context, time, chat, new ChatChunks(head, request.Settings, body.StreamOptions?.IncludeUsage == true));
        return Results.Empty;
    }

    private static async Task<ChatCompletion> CollectAsync(RunningChat chat, AnswerHead head, ChatSettings settings)
    {
        var texts = Enumerable.Range(0, settings.Choices).Select(_ => new StringBuilder()).ToArray();
        var tokens = Enumerable.Range(0, settings.Choices).Select(_ => new List<ChatToken>()).ToArray();
        var ends = new ChatAnswered[settings.Choices];
        ChatUsage usage = new(0, 0, 0, 0);
        while (await chat.MoveNextAsync())
        {
            switch (chat.Current)
            {
                case ChatText text:
                    texts[text.Choice].Append(text.Text);
                    tokens[text.Choice].AddRange(text.Tokens ?? []);
                    break;
                case ChatAnswered answered:
                    ends[answered.Choice] = answered;
                    break;
                case ChatEnded ended:
                    usage = ended.Usage;
                    break;
                default:
                    break;
            }
        }

        var choices = texts.Select((text, index) => new ChatChoice(
            index, new(text.ToString()), settings.LogProbabilities ? ChatLogprobs.Of(tokens[index]) : null, ends[index].FinishReason, ScoredChoice.Of(ends[index].Alternatives)));
        return new(head.Id, head.Created, head.Model, [.. choices], ChatUsageObject.Of(usage), head.Fingerprint);
    }
}

/// <summary>What all parts of an answer say.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Created">When it was begun, in Unix seconds.</param>
/// <param name="Model">The model as it was asked for.</param>
/// <param name="Fingerprint">Changes with the weights.</param>
internal sealed record AnswerHead(string Id, long Created, string Model, string Fingerprint);
