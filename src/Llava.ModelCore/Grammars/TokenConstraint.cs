using Llava.ModelCore.Grammars.Automata;

namespace Llava.ModelCore.Grammars;

/// <summary>Where one answer stands in its grammar. Only the engine's thread touches it.</summary>
internal sealed class TokenConstraint(TokenAutomaton automaton)
{
    private AutomatonState _state = automaton.Start;
    private bool _isFirst = true;

    /// <summary>Whether the answer is complete and nothing may follow.</summary>
    public bool IsFinished => _state.Accepts && !_state.CanContinue;

    /// <summary>Whether the answer may end here.</summary>
    public bool MayEnd => _state.Accepts;

    /// <summary>Tokens that may come next, a bit for each id.</summary>
    public ReadOnlySpan<ulong> Allowed => automaton.Mask(_state, _isFirst);

    /// <summary>Takes a token that is allowed.</summary>
    public void Accept(int token)
    {
        if (automaton.Vocabulary.BytesOf(token, _isFirst) is not { } bytes || automaton.Step(_state, bytes.Span) is not { } next)
        {
            throw new InvalidOperationException($"Token {token} is not allowed where the answer stands.");
        }

        (_state, _isFirst) = (next, false);
    }
}
