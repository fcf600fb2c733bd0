namespace Llava.ModelCore.Prompts;

/// <summary>Who speaks.</summary>
public enum Speaker
{
    /// <summary>The first role of a template: Human, USER, ….</summary>
    User,

    /// <summary>The second role of a template: Assistant, GPT, ….</summary>
    Assistant,
}

/// <summary>One turn of a conversation.</summary>
/// <param name="Speaker">Who speaks.</param>
/// <param name="Text">What is said; null or empty where the answer is to be generated.</param>
public sealed record Message(Speaker Speaker, string? Text)
{
    /// <summary>
    /// Whether an image came with the turn apart from its text. If it is the first turn, the template decides where the image goes
    /// and placeholders in the text are ignored; in later turns the placeholder must stand in the text.
    /// </summary>
    public bool HasImage { get; init; }
}
