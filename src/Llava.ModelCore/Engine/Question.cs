using Llava.ModelCore.Imaging;

namespace Llava.ModelCore.Engine;

/// <summary>What a person asks: encoded images and a text, before anything model-specific is done to them.</summary>
public sealed record Question
{
    /// <summary>
    /// The user's words. <c>&lt;image&gt;</c> in them says where the images stand; without it they come first, one per line, as
    /// LLaVA's own tools put them.
    /// </summary>
    public required string Text { get; init; }

    /// <summary>Image files' contents, in the order of their placeholders.</summary>
    public IReadOnlyList<byte[]> Images { get; init; } = [];

    /// <summary>Name of a conversation template instead of the model's own.</summary>
    public string? Template { get; init; }

    /// <summary>How images are made square instead of the model's own way.</summary>
    public ImageAspect? Aspect { get; init; }

    /// <summary>How the answer is generated. New tokens beyond the context are cut off, not refused.</summary>
    public SamplingSettings Sampling { get; init; } = new();

    /// <summary>Texts that end the answer, besides the template's own.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Class in the queue.</summary>
    public RequestPriority Priority { get; init; }
}

/// <summary>A question made ready for the engine: decoded, resized, tokenized. Holds no tensors.</summary>
public sealed class PreparedQuestion
{
    internal PreparedQuestion(SequenceRequest request, AnswerText text) => (Request, Text) = (request, text);

    internal SequenceRequest Request { get; }

    internal AnswerText Text { get; }
}

/// <summary>An answer with what it took.</summary>
/// <param name="Text">Trimmed, without stop strings and special tokens.</param>
/// <param name="Sequence">Tokens, reason, usage, timings.</param>
public sealed record Answer(string Text, SequenceResult Sequence);
