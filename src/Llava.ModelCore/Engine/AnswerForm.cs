using Llava.ModelCore.Grammars;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Engine;

/// <summary>
/// How a request's answers are bound and read. A bound answer is taken as it stands: its grammar says where it ends, and white space around it is part of it.
/// </summary>
/// <param name="tokenizer">The model's.</param>
/// <param name="stops">Texts that end a free answer.</param>
/// <param name="automaton">What a bound answer must look like; null for a free one.</param>
internal sealed class AnswerForm(ITokenizer tokenizer, StopStrings stops, TokenAutomaton? automaton = null)
{
    /// <summary>Whether a grammar says what answers look like.</summary>
    public bool IsBound => automaton is not null;

    /// <summary>What holds one answer to its grammar; null for a free one.</summary>
    public TokenConstraint? StartConstraint() => automaton is null ? null : new(automaton);

    /// <summary>Reads one answer.</summary>
    public StreamingText StartText() => automaton is null ? new(tokenizer, stops) : new(new ConstrainedDecoder(automaton.Vocabulary), StopStrings.None);
}
