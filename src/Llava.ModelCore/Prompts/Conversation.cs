using System.Collections.Immutable;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Prompts;

/// <summary>A template and the turns so far. Immutable: every addition is a new conversation.</summary>
public sealed class Conversation
{
    private Conversation(ConversationTemplate template, ImmutableList<Message> messages) => (Template, Messages) = (template, messages);

    /// <summary>The prompt format.</summary>
    public ConversationTemplate Template { get; }

    /// <summary>The turns, the template's examples first.</summary>
    public ImmutableList<Message> Messages { get; }

    /// <summary>A conversation with nothing but the template's examples.</summary>
    public static Conversation Start(ConversationTemplate template) => new(template, [.. template.Examples]);

    /// <summary>Adds a turn; a text of null is the answer to be generated.</summary>
    public Conversation Add(Speaker speaker, string? text) => Add(new Message(speaker, text));

    /// <summary>Adds a turn.</summary>
    public Conversation Add(Message message) => new(Template, Messages.Add(message));

    /// <summary>The text for the model.</summary>
    /// <exception cref="PromptException">The style cannot express these turns.</exception>
    public string ToPrompt() => PromptAssembly.Assemble(Template, PlaceFirstImage());

    private ImmutableList<Message> PlaceFirstImage()
    {
        if (Messages is not [{ HasImage: true } first, ..])
        {
            return Messages;
        }

        var text = (first.Text ?? "").Replace(ImagePlaceholder.Text, "", StringComparison.Ordinal).Trim();
        return Template.Version.Contains("mmtag", StringComparison.Ordinal)
            ? Messages.SetItem(0, first with { Text = text })
                .Insert(0, new Message(Speaker.User, $"<Image>{ImagePlaceholder.Text}</Image>"))
                .Insert(1, new Message(Speaker.Assistant, "Received."))
            : Messages.SetItem(0, first with { Text = $"{ImagePlaceholder.Text}\n{text}" });
    }
}
