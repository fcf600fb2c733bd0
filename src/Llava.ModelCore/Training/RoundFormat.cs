namespace Llava.ModelCore.Training;

/// <summary>
/// Rounds of an instruction and an answer that end in a marker: Vicuna v1, LLaMA-2 chat and ChatML (spec 7.5.2 to 7.5.4).
/// Answers are learned together with the marker after them. When the spans do not add up to the prompt, which happens when a
/// text contains a marker, nothing of the conversation is learned.
/// </summary>
/// <param name="tokenizer">The tokenizer.</param>
/// <param name="marks">The template's markers.</param>
/// <param name="render">Writes the prompt of a conversation.</param>
internal sealed class RoundFormat(TrainingTokenizer tokenizer, RoundMarks marks, Func<IReadOnlyList<ConversationTurn>, string> render)
    : ConversationFormat(tokenizer)
{
    public override (int[] Ids, int[] Labels) Assemble(IReadOnlyList<ConversationTurn> turns, bool hasImage)
    {
        var readsImages = hasImage || marks.AlwaysReadsImages;
        var prompt = render(turns);
        var ids = WholePrompt(prompt, readsImages);
        var spans = new TargetSpans(ids);
        spans.Pass(marks.LeadingIds, ignored: marks.LeadingIds);
        foreach (var (number, round) in Rounds(prompt).Index())
        {
            var parts = round.Split(marks.Answer);
            if (parts.Length != 2)
            {
                break;
            }

            var length = LengthOf(round, readsImages) + (marks.EndHasOwnSpan ? LengthOf(marks.End, readsImages) : 0);
            var isLearned = turns.ElementAtOrDefault((2 * number) + 1)?.IsLearned ?? true;
            spans.Pass(length, ignored: isLearned ? LengthOf(parts[0] + marks.Answer, readsImages) - marks.InstructionOverlap : length);
        }

        var isWhole = spans.Position >= Tokenizer.MaxLength || spans.Position == ids.Count(id => id != Tokenizer.PadId);
        return (ids, isWhole ? spans.LabelsToHere() : spans.NoLabels());
    }

    private IEnumerable<string> Rounds(string prompt)
    {
        var pieces = prompt.Split(marks.End);
        var first = marks.PiecesOfFirstRound;
        return pieces.Skip(first).Chunk(marks.PiecesPerRound).Prepend([.. pieces.Take(first)]).Select(round => string.Join(marks.End, round));
    }
}

/// <summary>What separates instructions, answers and rounds in a prompt.</summary>
/// <param name="Answer">Marker an answer starts after.</param>
/// <param name="End">Marker a round ends with.</param>
internal sealed record RoundMarks(string Answer, string End)
{
    /// <summary>Ids before the first round: the bos.</summary>
    public int LeadingIds { get; init; } = 1;

    /// <summary>
    /// Ids an instruction has by itself but not in its round: the bos, and the lone ▁ of the space its marker ends with, which
    /// becomes part of the answer's first piece.
    /// </summary>
    public int InstructionOverlap { get; init; } = 2;

    /// <summary>Whether the end marker is counted by itself; otherwise the bos a round has by itself stands for it.</summary>
    public bool EndHasOwnSpan { get; init; }

    /// <summary>Pieces between end markers that make the first round: ChatML ends the system text and each turn with the marker.</summary>
    public int PiecesOfFirstRound { get; init; } = 1;

    /// <summary>Pieces between end markers that make a later round.</summary>
    public int PiecesPerRound { get; init; } = 1;

    /// <summary>Whether <c>&lt;image&gt;</c> is a placeholder also where the sample has no image, and prompts are never cut.</summary>
    public bool AlwaysReadsImages { get; init; }

    /// <summary>Vicuna v1: <c>{system} USER: … ASSISTANT: …&lt;/s&gt;</c>.</summary>
    public static RoundMarks Vicuna(string separator, string assistant, string end) => new($"{separator}{assistant}: ", end);

    /// <summary>LLaMA-2 chat: <c>[INST] … [/INST] … &lt;/s&gt;</c>.</summary>
    public static RoundMarks Llama2(string end) => new("[/INST] ", end);

    /// <summary>ChatML, as LLaVA's MPT models use it: no bos, every turn ends with the marker.</summary>
    public static RoundMarks ChatMl(string separator, string assistant) => new(separator + assistant, separator)
    {
        LeadingIds = 0,
        InstructionOverlap = 0,
        EndHasOwnSpan = true,
        PiecesOfFirstRound = 3,
        PiecesPerRound = 2,
        AlwaysReadsImages = true,
    };
}
