using Llava.Contracts.Interactive;
using Llava.Contracts.Requests;
using Llava.ModelCore.Engine.Chats;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Prompts;
using ChatTurn = Llava.ModelCore.Engine.Chats.ChatTurn;

namespace Llava.GpuConsumer.Runners;

/// <summary>Items that are conversations, as the engine takes them: what chats say, in the class of items.</summary>
internal static class ItemChats
{
    /// <summary>The conversation, its images dealt out in order and the rest of them to the prompt.</summary>
    public static ChatPrompt ToPrompt(WorkItem item, ItemChat chat, IReadOnlyList<byte[]> images)
    {
        List<ChatTurn> turns = [];
        var dealt = 0;
        foreach (var turn in chat.Earlier)
        {
            turns.Add(Turn(turn.Speaker, turn.Text, [.. images.Skip(dealt).Take(turn.Images)]));
            dealt += turn.Images;
        }

        turns.Add(Turn(ChatSpeaker.User, item.Prompt, [.. images.Skip(dealt)]));
        return new()
        {
            Turns = turns,
            System = chat.System,
            Plain = chat.Plain ? item.Prompt : null,
            Template = item.Request.ConversationTemplate,
            StopStrings = chat.Settings.StopStrings,
            Grammar = AnswerShapes.Of(chat.Settings),
            Alternatives = chat.Settings.Alternatives ?? [],
            IgnoresEnd = chat.Settings.IgnoresEnd,
            Sampling = EngineChatRunner.ToSampling(chat.Settings),
        };

        ChatTurn Turn(ChatSpeaker speaker, string text, IReadOnlyList<byte[]> shown) =>
            new(speaker == ChatSpeaker.User ? Speaker.User : Speaker.Assistant, text, shown) { Aspect = AspectOf(item.Request) };
    }

    /// <summary>How the job wants images made square; null for the model's own way.</summary>
    public static ImageAspect? AspectOf(JobRequest request) => request.ImageAspect is { } aspect ? Enum.Parse<ImageAspect>(aspect, ignoreCase: true) : null;
}
