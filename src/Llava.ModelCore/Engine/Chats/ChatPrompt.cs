using Llava.ModelCore.Grammars;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Prompts;

namespace Llava.ModelCore.Engine.Chats;

/// <summary>A conversation that waits for the assistant's next words.</summary>
public sealed record ChatPrompt
{
    /// <summary>The turns so far, the user's last. Neighbouring turns of one speaker count as one.</summary>
    public IReadOnlyList<ChatTurn> Turns { get; init; } = [];

    /// <summary>Text in place of the template's own before the first turn; null for the template's.</summary>
    public string? System { get; init; }

    /// <summary>A text to be continued as it stands, without any template, instead of <see cref="Turns"/>.</summary>
    public string? Plain { get; init; }

    /// <summary>How each answer is generated. New tokens beyond the context are cut off, not refused.</summary>
    public SamplingSettings Sampling { get; init; } = new();

    /// <summary>Texts that end an answer, besides the template's own.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>What answers have to look like; null leaves them free. <see cref="StopStrings"/> do not go with it.</summary>
    public Grammar? Grammar { get; init; }

    /// <inheritdoc cref="Question.Alternatives"/>
    public IReadOnlyList<string> Alternatives { get; init; } = [];

    /// <summary>Whether only the caller's own stop strings and stop tokens end an answer. Default false.</summary>
    public bool IgnoresEnd { get; init; }

    /// <summary>Whether parts bring their tokens with the probabilities. Default false.</summary>
    public bool ReportsTokens { get; init; }

    /// <summary>Answers to generate; each draws by a seed of its own. Default 1.</summary>
    public int Choices { get; init; } = 1;
}

/// <summary>What one speaker says.</summary>
/// <param name="Speaker">Who.</param>
/// <param name="Text">
/// The words. Where <c>&lt;image&gt;</c> stands in them as often as there are images, it says where those are; otherwise the images come first and the
/// word means nothing.
/// </param>
/// <param name="Images">Image files' contents.</param>
public sealed record ChatTurn(Speaker Speaker, string Text, IReadOnlyList<byte[]> Images)
{
    /// <summary>How images are made square instead of the model's own way.</summary>
    public ImageAspect? Aspect { get; init; }
}
