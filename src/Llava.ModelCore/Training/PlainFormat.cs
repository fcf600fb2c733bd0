using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Training;

/// <summary>Alignment: the image and its caption, nothing else; the question is dropped and no end of sequence is learned (spec 7.5.1).</summary>
/// <param name="tokenizer">The tokenizer.</param>
/// <param name="separator">What follows the caption.</param>
internal sealed class PlainFormat(TrainingTokenizer tokenizer, string separator) : ConversationFormat(tokenizer)
{
    public override (int[] Ids, int[] Labels) Assemble(IReadOnlyList<ConversationTurn> turns, bool hasImage)
    {
        var ids = Tokenizer.EncodeWithImages(ImagePlaceholder.Text + turns[1].Value + separator);
        var spans = new TargetSpans(ids);
        var image = Tokenizer.EncodeWithImages(ImagePlaceholder.Text).Length;
        spans.Pass(image, ignored: image);
        return (ids, turns[1].IsLearned ? spans.LabelsToEnd() : spans.NoLabels());
    }
}
