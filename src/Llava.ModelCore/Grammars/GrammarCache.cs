namespace Llava.ModelCore.Grammars;

/// <summary>The grammars that were asked for last, in the tokens of one model: questions of a job share what has been worked out for the first. Any thread may ask.</summary>
internal sealed class GrammarCache(Func<TokenVocabulary> vocabulary, int capacity = 16)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<(string Key, TokenAutomaton Automaton)> _recent = [];
    private TokenVocabulary? _vocabulary;

    /// <summary>The model's vocabulary; read when it is first needed.</summary>
    public TokenVocabulary Vocabulary
    {
        get
        {
            lock (_gate)
            {
                return _vocabulary ??= vocabulary();
            }
        }
    }

    /// <summary>The grammar in the model's tokens.</summary>
    /// <exception cref="GrammarException">No answer would be right, or the grammar is too large.</exception>
    public TokenAutomaton Get(Grammar grammar)
    {
        var words = Vocabulary;
        lock (_gate)
        {
            var entry = _recent.First;
            while (entry is not null && entry.Value.Key != grammar.Key)
            {
                entry = entry.Next;
            }

            if (entry is null)
            {
                entry = new((grammar.Key, new(grammar, words)));
            }
            else
            {
                _recent.Remove(entry);
            }

            _recent.AddFirst(entry);
            if (_recent.Count > capacity)
            {
                _recent.RemoveLast();
            }

            return entry.Value.Automaton;
        }
    }
}
