using Llava.ModelCore.Engine.Alternatives;
using Llava.ModelCore.Grammars;
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

    /// <summary>What the answer has to look like; null leaves it free. <see cref="StopStrings"/> do not go with it.</summary>
    public Grammar? Grammar { get; init; }

    /// <summary>
    /// The only answers there are. Instead of generating, the model says how likely each is; the likeliest is the answer at temperature 0, and otherwise one is
    /// drawn by their probabilities. Default none: any answer.
    /// </summary>
    public IReadOnlyList<string> Alternatives { get; init; } = [];

    /// <summary>Class in the queue.</summary>
    public RequestPriority Priority { get; init; }
}

/// <summary>A question made ready for the engine: decoded, resized, tokenized. Holds no tensors.</summary>
public sealed class PreparedQuestion
{
    internal PreparedQuestion(SequenceRequest request, AnswerText text, AlternativeSet? alternatives) => (Request, Text, Alternatives) = (request, text, alternatives);

    internal SequenceRequest Request { get; }

    internal AnswerText Text { get; }

    /// <summary>The only answers there are; null where any will do.</summary>
    internal AlternativeSet? Alternatives { get; }
}

/// <summary>An answer with what it took.</summary>
/// <param name="Text">Trimmed, without stop strings and special tokens.</param>
/// <param name="Sequence">Tokens, reason, usage, timings.</param>
/// <param name="Alternatives">What the model thinks of each of the answers there are, in the order of the question; null where any would do.</param>
public sealed record Answer(string Text, SequenceResult Sequence, IReadOnlyList<Alternative>? Alternatives = null)
{
    /// <summary>How sure the model is, 0 to 1: the answer's share among the alternatives; without those, the geometric mean probability of its tokens.</summary>
    public double Confidence => Alternatives?.First(alternative => alternative.Text == Text).Probability ?? Math.Exp(Sequence.Confidence.MeanLogProbability);
}
