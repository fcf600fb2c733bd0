namespace Llava.ModelCore.Grammars.Automata;

/// <summary>Makes the network of a grammar. What is repeated or used often becomes a rule of its own, so that copies of it are one edge each.</summary>
internal sealed class NetworkBuilder
{
    private const int MostStates = 200_000;
    private const int SmallestShared = 8;

    private readonly Grammar _grammar;
    private readonly bool[] _writable;
    private readonly List<NetworkState> _states = [];
    private readonly Dictionary<string, int> _rules = new(StringComparer.Ordinal);
    private readonly Dictionary<RuneSet, int> _sets = [];
    private readonly Queue<(Expression Body, int Start)> _pending = [];

    private NetworkBuilder(Grammar grammar, bool[] writable) => (_grammar, _writable) = (grammar, writable);

    /// <summary>The network of a grammar.</summary>
    /// <param name="grammar">The grammar.</param>
    /// <param name="writable">Whether each byte can be written by itself; what cannot is in no text.</param>
    /// <exception cref="GrammarException">It would be too large.</exception>
    public static Network Build(Grammar grammar, bool[] writable)
    {
        NetworkBuilder builder = new(grammar, writable);
        var start = builder.RuleOf(Grammar.Root);
        while (builder._pending.TryDequeue(out var rule))
        {
            var end = builder.AddState();
            builder._states[end].EndsRule = true;
            builder.Add(rule.Body, rule.Start, end);
        }

        return new([.. builder._states], start);
    }

    private int AddState()
    {
        if (_states.Count == MostStates)
        {
            throw _grammar.Broken($"What the answer must look like takes more than {MostStates} states. Repeat less often, or allow shorter texts.");
        }

        _states.Add(new());
        return _states.Count - 1;
    }

    private int RuleOf(string name)
    {
        if (!_rules.TryGetValue(name, out var start))
        {
            _rules.Add(name, start = AddState());
            _pending.Enqueue((_grammar.Rules[name], start));
        }

        return start;
    }

    /// <summary>Adds paths between two states that read what the expression reads.</summary>
    private void Add(Expression expression, int from, int to)
    {
        switch (expression)
        {
            case Expression.Literal literal:
                AddLiteral(literal.Bytes, from, to);
                break;
            case Expression.Characters characters:
                AddCharacters(characters.Set, from, to);
                break;
            case Expression.SequenceOf sequence:
                AddSequence(sequence.Parts, from, to);
                break;
            case Expression.OneOf choice:
                foreach (var option in choice.Options)
                {
                    Add(option, from, to);
                }

                break;
            case Expression.Repetition repetition:
                AddRepetition(repetition, from, to);
                break;
            case Expression.Call call:
                _states[from].Calls.Add(new(RuleOf(call.Rule), to));
                break;
            case Expression.Graph graph:
                AddGraph(graph, from, to);
                break;
            default:
                throw new ArgumentException($"There is no such expression: {expression.GetType().Name}.", nameof(expression));
        }
    }

    private void AddLiteral(byte[] bytes, int from, int to)
    {
        if (bytes.Length == 0)
        {
            _states[from].Skips.Add(to);
        }

        for (var i = 0; i < bytes.Length; i++)
        {
            var next = i == bytes.Length - 1 ? to : AddState();
            AddBytes(from, bytes[i], bytes[i], next);
            from = next;
        }
    }

    private void AddSequence(IReadOnlyList<Expression> parts, int from, int to)
    {
        if (parts.Count == 0)
        {
            _states[from].Skips.Add(to);
        }

        for (var i = 0; i < parts.Count; i++)
        {
            var next = i == parts.Count - 1 ? to : AddState();
            Add(parts[i], from, next);
            from = next;
        }
    }

    private void AddRepetition(Expression.Repetition repetition, int from, int to)
    {
        var (item, least, most) = repetition;
        var body = (most ?? least + 1) > 1 ? Shared(item) : item;
        for (var i = 0; i < least; i++)
        {
            from = AddCopy(body, from);
        }

        if (most is not { } last)
        {
            var loop = AddState();
            _states[from].Skips.Add(loop);
            Add(body, loop, loop);
            _states[loop].Skips.Add(to);
            return;
        }

        for (var i = least; i < last; i++)
        {
            _states[from].Skips.Add(to);
            from = AddCopy(body, from);
        }

        _states[from].Skips.Add(to);
    }

    private int AddCopy(Expression body, int from)
    {
        var next = AddState();
        Add(body, from, next);
        return next;
    }

    /// <summary>A large expression as a call of a rule, a small one as it is.</summary>
    private Expression Shared(Expression item)
    {
        if (Size(item) < SmallestShared)
        {
            return item;
        }

        var name = $"#{_rules.Count}";
        _rules.Add(name, AddState());
        _pending.Enqueue((item, _rules[name]));
        return new Expression.Call(name);
    }

    private static int Size(Expression expression) => expression switch
    {
        Expression.Literal literal => literal.Bytes.Length,
        Expression.SequenceOf sequence => sequence.Parts.Sum(Size),
        Expression.OneOf choice => choice.Options.Sum(Size),
        Expression.Repetition repetition => Math.Max(repetition.Least, repetition.Most ?? 1) * Math.Min(SmallestShared, Size(repetition.Item)),
        Expression.Graph graph => graph.Edges.Count,
        _ => 1,
    };

    private void AddGraph(Expression.Graph graph, int from, int to)
    {
        Dictionary<int, int> nodes = [];
        _states[from].Skips.Add(NodeOf(0));
        foreach (var edge in graph.Edges)
        {
            Add(edge.Text, NodeOf(edge.From), NodeOf(edge.To));
        }

        foreach (var end in graph.Ends)
        {
            _states[NodeOf(end)].Skips.Add(to);
        }

        int NodeOf(int node)
        {
            if (!nodes.TryGetValue(node, out var state))
            {
                nodes.Add(node, state = AddState());
            }

            return state;
        }
    }

    /// <summary>Characters of one byte are edges; all others of a set are a rule that is made once.</summary>
    private void AddCharacters(RuneSet set, int from, int to)
    {
        foreach (var (first, last) in set.Ranges.Where(range => range.First < 0x80))
        {
            AddBytes(from, (byte)first, (byte)Math.Min(last, 0x7F), to);
        }

        var longer = RuneSet.Of(set.Ranges.Where(range => range.Last >= 0x80).Select(range => (Math.Max(range.First, 0x80), range.Last)));
        if (longer.IsEmpty)
        {
            return;
        }

        if (!_sets.TryGetValue(longer, out var rule))
        {
            _sets.Add(longer, rule = AddState());
            AddLonger(longer, rule);
        }

        _states[from].Calls.Add(new(rule, to));
    }

    /// <summary>Sequences with the same beginning share it.</summary>
    private void AddLonger(RuneSet set, int start)
    {
        var end = AddState();
        _states[end].EndsRule = true;
        Dictionary<(int, byte, byte), int> shared = [];
        foreach (var bytes in set.Ranges.SelectMany(range => Utf8Ranges.Of(range.First, range.Last)))
        {
            var from = start;
            foreach (var (first, last) in bytes[..^1])
            {
                if (!shared.TryGetValue((from, first, last), out var next))
                {
                    shared.Add((from, first, last), next = AddState());
                    AddBytes(from, first, last, next);
                }

                from = next;
            }

            AddBytes(from, bytes[^1].First, bytes[^1].Last, end);
        }
    }

    private void AddBytes(int from, byte first, byte last, int to)
    {
        for (int low = first; low <= last; low++)
        {
            var high = low;
            while (high < last && _writable[low] && _writable[high + 1])
            {
                high++;
            }

            if (_writable[low])
            {
                _states[from].Bytes.Add(new((byte)low, (byte)high, to));
            }

            low = high;
        }
    }
}
