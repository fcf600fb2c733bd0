using Llava.ModelCore.Grammars.Automata;

namespace Llava.ModelCore.Grammars;

/// <summary>A grammar in the tokens of one model. Shared by all sequences that use the grammar; only the engine's thread may run it.</summary>
internal sealed class TokenAutomaton
{
    private readonly Automaton _automaton;
    private readonly TokenVocabulary _vocabulary;
    private readonly Outlooks _outlooks;
    private readonly AutomatonState?[] _path;

    /// <exception cref="GrammarException">No answer would be right, or the grammar is too large.</exception>
    public TokenAutomaton(Grammar grammar, TokenVocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        var longest = Math.Max(vocabulary.First.Depth, vocabulary.Later.Depth);
        var network = NetworkBuilder.Build(grammar, vocabulary.Writable);
        (_automaton, _outlooks, _path) = (new(network), new(network, longest), new AutomatonState?[longest + 1]);
        if (_automaton.IsEmpty)
        {
            throw grammar.Broken("No answer but perhaps the empty one can be what is asked for, in the words of this model.");
        }
    }

    public TokenVocabulary Vocabulary => _vocabulary;

    public AutomatonState Start => _automaton.Start;

    /// <summary>The state behind these bytes; null where nothing that is right goes on with them.</summary>
    public AutomatonState? Step(AutomatonState state, ReadOnlySpan<byte> bytes)
    {
        AutomatonState? next = state;
        for (var i = 0; i < bytes.Length && next is not null; i++)
        {
            next = _automaton.Step(next, bytes[i]);
        }

        return next;
    }

    /// <summary>Tokens that may follow, a bit for each id.</summary>
    public ulong[] Mask(AutomatonState state, bool isFirst) => _outlooks.Of(state).Masks[isFirst ? 1 : 0] ??= Compute(state, isFirst ? _vocabulary.First : _vocabulary.Later);

    private ulong[] Compute(AutomatonState state, TokenTrie trie)
    {
        var mask = new ulong[(_vocabulary.Count + 63) / 64];
        foreach (var id in trie.Silent)
        {
            mask[id >> 6] |= 1UL << (id & 63);
        }

        var nodes = trie.Nodes;
        _path[0] = state;
        for (var i = 0; i < nodes.Length;)
        {
            ref readonly var node = ref nodes[i];
            if (_automaton.Step(_path[node.Depth]!, node.Value) is not { } next)
            {
                i = node.Behind;
                continue;
            }

            _path[node.Depth + 1] = next;
            foreach (var id in trie.TokensAt(node))
            {
                mask[id >> 6] |= 1UL << (id & 63);
            }

            i++;
        }

        return mask;
    }
}
