using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Training;

/// <summary>
/// How a conversation becomes ids and labels under one kind of template (spec 7.5). Labels come from the spans the prompt is
/// put together from; where a span's text contains the template's own markers, the result is the original's all the same.
/// </summary>
internal abstract class ConversationFormat(TrainingTokenizer tokenizer)
{
    /// <summary>Ids and labels of a conversation.</summary>
    /// <param name="turns">Turns with normalised placeholders.</param>
    /// <param name="hasImage">Whether <c>&lt;image&gt;</c> in the text is a placeholder.</param>
    public abstract (int[] Ids, int[] Labels) Assemble(IReadOnlyList<ConversationTurn> turns, bool hasImage);

    /// <summary>The tokenizer with its pad id and maximum length.</summary>
    protected TrainingTokenizer Tokenizer { get; } = tokenizer;

    /// <summary>Ids of a whole prompt; a text-only one is cut at the maximum length, one with an image is not.</summary>
    protected int[] WholePrompt(string prompt, bool hasImage) =>
        hasImage ? Tokenizer.EncodeWithImages(prompt) : [.. Tokenizer.Encode(prompt).Take(Tokenizer.MaxLength)];

    /// <summary>Ids of a part of a prompt, encoded by itself.</summary>
    protected int LengthOf(string text, bool hasImage) => hasImage ? Tokenizer.EncodeWithImages(text).Length : Tokenizer.Encode(text).Count;
}

/// <summary>A tokenizer as training uses it.</summary>
/// <param name="Inner">The base's tokenizer, with the tokens the template adds.</param>
/// <param name="PadId">Id rows are padded with.</param>
/// <param name="MaxLength">Ids a text-only prompt keeps.</param>
internal sealed record TrainingTokenizer(ITokenizer Inner, int PadId, int MaxLength)
{
    public IReadOnlyList<int> Encode(string text) => Inner.Encode(text);

    public int[] EncodeWithImages(string prompt) => [.. ImagePlaceholder.Encode(Inner, prompt)];
}
