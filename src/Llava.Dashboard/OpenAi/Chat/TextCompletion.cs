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

/// <summary>Continuations of a text, whole or, in a stream, a piece of them.</summary>
internal sealed record TextCompletion(string Id, long Created, string Model, string SystemFingerprint, IReadOnlyList<TextChoice> Choices, ChatUsageObject? Usage = null)
{
    public string Object { get; } = "text_completion";
}

/// <summary>One continuation, or what it has grown by.</summary>
internal sealed record TextChoice(string Text, int Index, string? FinishReason = null)
{
    /// <summary>Not given here; chats have them.</summary>
    public ChatLogprobs? Logprobs { get; }
}

/// <summary><c>POST /completions</c>: a text continued without any template, for clients from before chats.</summary>
internal static class TextEndpoint
{
    public static void MapTextCompletions(this RouteGroupBuilder api) => api.MapPost("/completions", AnswerAsync).RequireRole(AccessRole.Operator)
        .WithSummary("Continues a text").Takes<ChatBody>().Produces<TextCompletion>().Streams<TextCompletion>();

    private static async Task<IResult> AnswerAsync(HttpContext context, ChatRequests requests, ModelRouter models, TimeProvider time, CancellationToken cancellation)
    {
        var (request, body) = await requests.ReadTextAsync(context, cancellation);
        await using var chat = await InteractiveAnswers.AskAsync(() => models.ChatAsync(request, cancellation));
        AnswerHead head = new("cmpl-" + Guid.NewGuid().ToString("N"), time.GetUtcNow().ToUnixTimeSeconds(), request.Model, "fp_" + chat.Revision);
        if (body.Stream != true)
        {
            return Results.Json(await InteractiveAnswers.AskAsync(() => CollectAsync(chat, head, request.Settings.Choices)), ChatJson.Default.TextCompletion);
        }

        await StreamedAnswer.SendAsync(context, time, chat, new TextChunks(head, body.StreamOptions?.IncludeUsage == true));
        return Results.Empty;
    }

    private static async Task<TextCompletion> CollectAsync(RunningChat chat, AnswerHead head, int choices)
    {
        var texts = Enumerable.Range(0, choices).Select(_ => new StringBuilder()).ToArray();
        var reasons = new string[choices];
        ChatUsageObject? usage = null;
        while (await chat.MoveNextAsync())
        {
            switch (chat.Current)
            {
                case ChatText text:
                    texts[text.Choice].Append(text.Text);
                    break;
                case ChatAnswered answered:
                    reasons[answered.Choice] = answered.FinishReason;
                    break;
                case ChatEnded ended:
                    usage = ChatUsageObject.Of(ended.Usage);
                    break;
                default:
                    break;
            }
        }

        return new(head.Id, head.Created, head.Model, head.Fingerprint, [.. texts.Select((text, index) => new TextChoice(text.ToString(), index, reasons[index]))], usage);
    }

    private sealed class TextChunks(AnswerHead head, bool includesUsage) : IAnswerChunks
    {
        public Task BeginAsync(EventStream stream) => Task.CompletedTask;

        public Task SendAsync(EventStream stream, ChatEvent said) => said switch
        {
            ChatText text => SendAsync(stream, [new(text.Text, text.Choice)]),
            ChatAnswered answered => SendAsync(stream, [new("", answered.Choice, answered.FinishReason)]),
            ChatEnded ended when includesUsage => SendAsync(stream, [], ChatUsageObject.Of(ended.Usage)),
            _ => Task.CompletedTask,
        };

        private Task SendAsync(EventStream stream, IReadOnlyList<TextChoice> choices, ChatUsageObject? usage = null) =>
            stream.SendAsync(new TextCompletion(head.Id, head.Created, head.Model, head.Fingerprint, choices, usage), ChatJson.Default.TextCompletion);
    }
}
