using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Engine.Chats;

/// <summary>Turns conversations into what the engine runs. No tensors, no state: any number of threads may use it.</summary>
internal sealed class ChatPreparation(LlavaConfig config, ITokenizer tokenizer, QuestionPreparation questions, LlavaEngine engine)
{
    private const string ChatMlSystem = "<|im_start|>system\n";

    public PreparedChat Prepare(ChatPrompt chat)
    {
        var turns = chat.Plain is null ? Merge(chat.Turns) : [];
        var template = WithSystem(questions.Template, chat.System);
        var stops = chat.Plain is null && !chat.IgnoresEnd ? StopRule.For(tokenizer, template, chat.StopStrings) : StopRule.For(tokenizer, chat.StopStrings);
        SequenceRequest request = new()
        {
            PromptTokens = ImagePlaceholder.Encode(tokenizer, chat.Plain is { } plain ? WithoutPlaceholders(plain) : Prompt(template, turns)),
            Images = [.. turns.SelectMany(turn => turn.Images.Select(image => questions.Pixels(image, turn.Aspect)))],
            Priority = RequestPriority.Interactive,
            SharesWholePrompt = chat.Choices > 1,
        };
        var sampling = questions.Sampling(chat.Sampling, request, stops);
        request = request with { Sampling = chat.IgnoresEnd ? sampling with { StopTokens = chat.Sampling.StopTokens } : sampling };
        return new(chat, request, questions.Form(chat.Grammar, chat.StopStrings, stops), questions.Alternatives(chat.Alternatives, stops), engine.CountPositions(request), request.Images.Count * (config.Vision?.Features ?? 0));
    }

    private string Prompt(ConversationTemplate template, List<ChatTurn> turns)
    {
        var conversation = turns.Aggregate(Conversation.Start(template), (so, turn) => so.Add(turn.Speaker, questions.WithImages(Placed(turn), turn.Images.Count)));
        return conversation.Add(Speaker.Assistant, null).ToPrompt();
    }

    private static ConversationTemplate WithSystem(ConversationTemplate template, string? system) => system is null
        ? template
        : template with { System = (template.Style == PromptStyle.Mpt ? ChatMlSystem : "") + WithoutPlaceholders(system) };

    private static string Placed(ChatTurn turn) => ImagePlaceholder.Count(turn.Text) == turn.Images.Count ? turn.Text : WithoutPlaceholders(turn.Text);

    // As the original's web interface does with what its users type.
    private static string WithoutPlaceholders(string text)
    {
        // What is left of two that stood in each other may be one again.
        while (ImagePlaceholder.Count(text) > 0)
        {
            text = text.Replace(ImagePlaceholder.Text, "", StringComparison.Ordinal);
        }

        return text;
    }

    /// <summary>Templates count turns and do not look at who speaks, so the speakers have to take turns.</summary>
    private static List<ChatTurn> Merge(IReadOnlyList<ChatTurn> turns)
    {
        List<ChatTurn> merged = [];
        foreach (var turn in turns.Select(turn => turn with { Text = Placed(turn) }))
        {
            if (merged is [.., var last] && last.Speaker == turn.Speaker)
            {
                merged[^1] = last with { Text = Joined(last.Text, turn.Text), Images = [.. last.Images, .. turn.Images] };
            }
            else
            {
                merged.Add(turn);
            }
        }

        return merged is [{ Speaker: Speaker.User }, ..] and [.., { Speaker: Speaker.User }]
            ? merged
            : throw new PromptException("The conversation must begin and end with a turn of the user. Leave out what the assistant says before and after.");
    }

    private static string Joined(string first, string second) => first.Length == 0 || second.Length == 0 ? first + second : $"{first}\n{second}";
}
