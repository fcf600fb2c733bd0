namespace Llava.ModelCore.Training;

/// <summary>
/// The first LLaVA's form: a header, then each turn after a signal. Whole assistant turns are learned, and of each human turn
/// the signal it starts with, which teaches the model to stop (spec 7.5.5).
/// </summary>
/// <param name="tokenizer">The tokenizer.</param>
/// <param name="system">Text of the header.</param>
/// <param name="human">Name of the human.</param>
/// <param name="assistant">Name of the assistant.</param>
internal sealed class TurnFormat(TrainingTokenizer tokenizer, string system, string human, string assistant) : ConversationFormat(tokenizer)
{
    private const string Signal = "### ";
    private const int SignalIds = 2;

    public override (int[] Ids, int[] Labels) Assemble(IReadOnlyList<ConversationTurn> turns, bool hasImage)
    {
        var header = system + "\n\n";
        var texts = turns.Select(turn => $"{Signal}{Name(turn)}: {turn.Value}\n").ToList();
        var ids = WholePrompt(header + string.Concat(texts) + Signal, hasImage);
        var spans = new TargetSpans(ids);
        var headerLength = SpanLength(header, hasImage);
        spans.Pass(headerLength, ignored: headerLength);
        foreach (var (turn, text) in turns.Zip(texts))
        {
            var length = SpanLength(text, hasImage);
            var isHuman = turn.From == ConversationTurn.Human;
            spans.Pass(length, ignored: isHuman ? length - SignalIds : turn.IsLearned ? 0 : length, after: isHuman ? SignalIds : 0);
        }

        return (ids, spans.LabelsToEnd());
    }

    private string Name(ConversationTurn turn) => turn.From switch
    {
        ConversationTurn.Human => human,
        ConversationTurn.Assistant => assistant,
        _ => "unknown",
    };

    /// <summary>
    /// The bos a span has by itself stands for the first half of <c>##</c>, <c>#</c>, which is one piece alone and two after a
    /// newline. Without an image the original counts a span's ids after cutting it, pad ids left out.
    /// </summary>
    private int SpanLength(string text, bool hasImage) => hasImage
        ? LengthOf(text, hasImage)
        : Tokenizer.Encode(text).Take(Tokenizer.MaxLength).Count(id => id != Tokenizer.PadId);
}
