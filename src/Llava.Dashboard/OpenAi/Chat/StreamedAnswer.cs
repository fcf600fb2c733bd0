using Llava.Contracts.Documents;
using Llava.Contracts.Interactive;
using Llava.Dashboard.Interactive;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.OpenAi.Chat;

/// <summary>What the events of a chat become in a stream.</summary>
internal interface IAnswerChunks
{
    /// <summary>Sends what comes before all answers.</summary>
    Task BeginAsync(EventStream stream);

    /// <summary>Sends what an event says.</summary>
    Task SendAsync(EventStream stream, ChatEvent said);
}

/// <summary>Sends a chat as it is generated.</summary>
internal static class StreamedAnswer
{
    /// <summary>Sends all events. Where the chat comes to nothing in the middle, an event says why; the caller's going away ends it.</summary>
    public static async Task SendAsync(HttpContext context, TimeProvider time, RunningChat chat, IAnswerChunks chunks)
    {
        EventStream stream = new(context, time);
        try
        {
            await stream.BeginAsync();
            await chunks.BeginAsync(stream);
            while (await stream.NextAsync(chat))
            {
                await chunks.SendAsync(stream, chat.Current);
            }

            await stream.EndAsync();
        }
        catch (InteractiveException failure)
        {
            var error = failure.ToOpenAi();
            await stream.FailAsync(new ErrorBody($"{error.Message} (request {OpenAiErrors.RequestIdOf(context)})", error.ErrorType, error.Code, error.Param));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be told anything.
        }
    }
}

/// <summary>The chunks of <c>/chat/completions</c>.</summary>
internal sealed class ChatChunks(AnswerHead head, ChatSettings settings, bool includesUsage) : IAnswerChunks
{
    /// <inheritdoc/>
    public async Task BeginAsync(EventStream stream)
    {
        for (var choice = 0; choice < settings.Choices; choice++)
        {
            await SendAsync(stream, new ChatChunkChoice(choice, new("assistant", "")));
        }
    }

    /// <inheritdoc/>
    public Task SendAsync(EventStream stream, ChatEvent said) => said switch
    {
        ChatText text => SendAsync(stream, new ChatChunkChoice(text.Choice, new(Content: text.Text), ChatLogprobs.Of(text.Tokens))),
        ChatAnswered answered => SendAsync(stream, new ChatChunkChoice(answered.Choice, new(), FinishReason: answered.FinishReason, XChoices: ScoredChoice.Of(answered.Alternatives))),
        ChatEnded ended when includesUsage => stream.SendAsync(Chunk([]) with { Usage = ChatUsageObject.Of(ended.Usage) }, ChatJson.Default.ChatChunk),
        _ => Task.CompletedTask,
    };

    private Task SendAsync(EventStream stream, ChatChunkChoice choice) => stream.SendAsync(Chunk([choice]), ChatJson.Default.ChatChunk);

    private ChatChunk Chunk(IReadOnlyList<ChatChunkChoice> choices) => new(head.Id, head.Created, head.Model, head.Fingerprint, choices);
}
