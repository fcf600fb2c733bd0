using System.Text;

namespace Llava.ModelCore.Prompts;

/// <summary>Puts turns together in the five styles (spec 3.2).</summary>
internal static class PromptAssembly
{
    public static string Assemble(ConversationTemplate template, IReadOnlyList<Message> messages) => template.Style switch
    {
        PromptStyle.Single or PromptStyle.Two => Announced(template, messages),
        PromptStyle.Mpt => ChatMl(template, messages),
        PromptStyle.Llama2 => Instructions(template, messages),
        _ => Plain(template, messages),
    };

    private static string Announced(ConversationTemplate template, IReadOnlyList<Message> messages)
    {
        var prompt = new StringBuilder(template.System).Append(template.Separator);
        foreach (var (index, message) in messages.Index())
        {
            prompt.Append(template.RoleOf(message.Speaker)).Append(':');
            if (!string.IsNullOrEmpty(message.Text))
            {
                prompt.Append(' ').Append(message.Text).Append(SeparatorAfter(template, index));
            }
        }

        return prompt.ToString();
    }

    private static string ChatMl(ConversationTemplate template, IReadOnlyList<Message> messages)
    {
        var prompt = new StringBuilder(template.System).Append(template.Separator);
        foreach (var message in messages)
        {
            prompt.Append(template.RoleOf(message.Speaker));
            if (!string.IsNullOrEmpty(message.Text))
            {
                prompt.Append(message.Text).Append(template.Separator);
            }
        }

        return prompt.ToString();
    }

    private static string Instructions(ConversationTemplate template, IReadOnlyList<Message> messages)
    {
        if (messages is not [{ Speaker: Speaker.User, Text.Length: > 0 }, ..])
        {
            throw new PromptException($"The template '{template.Name}' needs a first turn of the user with a text. Add the question before the answer.");
        }

        var prompt = new StringBuilder();
        foreach (var (index, message) in messages.Index().Where(turn => !string.IsNullOrEmpty(turn.Item.Text)))
        {
            var system = index == 0 && template.System.Length > 0 ? $"<<SYS>>\n{template.System}\n<</SYS>>\n\n" : "";
            if (index % 2 == 0)
            {
                // The very first separator is left to the tokenizer, which writes bos by itself.
                prompt.Append(index == 0 ? "" : template.Separator).Append("[INST] ").Append(system).Append(message.Text).Append(" [/INST]");
            }
            else
            {
                prompt.Append(' ').Append(message.Text).Append(' ').Append(template.SecondSeparator);
            }
        }

        return prompt.ToString();
    }

    private static string Plain(ConversationTemplate template, IReadOnlyList<Message> messages)
    {
        var prompt = new StringBuilder(template.System);
        foreach (var (index, message) in messages.Index().Where(turn => !string.IsNullOrEmpty(turn.Item.Text)))
        {
            if (index % 2 == 1 && template.SecondSeparator is null)
            {
                throw new PromptException($"The template '{template.Name}' takes a single turn, and turn {index + 1} says '{message.Text}'. Use a chat template.");
            }

            prompt.Append(message.Text).Append(SeparatorAfter(template, index));
        }

        return prompt.ToString();
    }

    // By position, not by speaker, as upstream counts.
    private static string SeparatorAfter(ConversationTemplate template, int index) =>
        index % 2 == 1 && template.SecondSeparator is { } second ? second : template.Separator;
}
