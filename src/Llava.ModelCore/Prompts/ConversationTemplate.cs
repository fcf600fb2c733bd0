namespace Llava.ModelCore.Prompts;

/// <summary>A prompt format that checkpoints were trained with.</summary>
/// <param name="Name">Name in the original implementation.</param>
/// <param name="Style">How the parts are put together.</param>
/// <param name="System">Text before the first turn.</param>
/// <param name="UserRole">How the user is announced.</param>
/// <param name="AssistantRole">How the assistant is announced.</param>
/// <param name="Separator">Text after a turn (<c>sep</c>).</param>
public sealed record ConversationTemplate(string Name, PromptStyle Style, string System, string UserRole, string AssistantRole, string Separator)
{
    private const string ChatMlSystem = "<|im_start|>system\n";

    /// <summary>Text after a turn of the assistant where it differs (<c>sep2</c>).</summary>
    public string? SecondSeparator { get; init; }

    /// <summary>Family of the format (<c>version</c>); training looks at it, and <c>mmtag</c> in it puts images into a turn of their own.</summary>
    public string Version { get; init; } = "Unknown";

    /// <summary>Turns that every conversation begins with, as an example for the model.</summary>
    public IReadOnlyList<Message> Examples { get; init; } = [];

    /// <summary>What the original's command line cuts off an answer: <c>sep2</c> for <see cref="PromptStyle.Two"/>, else <c>sep</c> (spec 3.6).</summary>
    public string OriginalStopString => Style == PromptStyle.Two ? SecondSeparator! : Separator;

    /// <summary>
    /// What ends an answer: the text that follows the assistant's turns in training. As the original's web interface has it; its
    /// command line waits for <c>&lt;s&gt;</c> in the LLaMA-2 style, which never comes.
    /// </summary>
    public string StopString => SecondSeparator ?? Separator;

    /// <summary>The same format with another text before the first turn.</summary>
    public ConversationTemplate WithSystem(string system) => this with { System = (Style == PromptStyle.Mpt ? ChatMlSystem : "") + system };

    /// <summary>How a speaker is announced.</summary>
    public string RoleOf(Speaker speaker) => speaker == Speaker.User ? UserRole : AssistantRole;
}
