namespace Llava.ModelCore.Grammars.Schemas;

/// <summary>The texts of an expression that have so many characters: the expression's own graph beside a counter.</summary>
internal sealed class CountedText
{
    private const int MostNodes = 50_000;
    private readonly List<(int From, RuneSet? Set, int To)> _edges = [];
    private int _nodes = 1;

    /// <summary>Those of at least and at most so many characters; null where there is no limit above.</summary>
    /// <returns>Null where it would be too large.</returns>
    public static Expression? Of(Expression text, int least, int? most)
    {
        CountedText counted = new();
        var end = counted.AddNode();
        counted.Add(text, 0, end);
        return counted.Multiply(end, least, most);
    }

    private int AddNode() => _nodes++;

    /// <summary>Adds paths between two nodes that read what the expression reads, one character or nothing at a time.</summary>
    private void Add(Expression expression, int from, int to)
    {
        switch (expression)
        {
            case Expression.Characters characters:
                _edges.Add((from, characters.Set, to));
                break;
            case Expression.SequenceOf sequence:
                foreach (var part in sequence.Parts)
                {
                    var next = AddNode();
                    Add(part, from, next);
                    from = next;
                }

                _edges.Add((from, null, to));
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
            default:
                throw new ArgumentException($"A text of characters was expected, not {expression.GetType().Name}.", nameof(expression));
        }
    }

    private void AddRepetition(Expression.Repetition repetition, int from, int to)
    {
        for (var i = 0; i < (repetition.Most ?? repetition.Least) && _nodes < MostNodes; i++)
        {
            if (i >= repetition.Least)
            {
                _edges.Add((from, null, to));
            }

            var next = AddNode();
            Add(repetition.Item, from, next);
            from = next;
        }

        if (repetition.Most is null)
        {
            var loop = AddNode();
            _edges.Add((from, null, loop));
            Add(repetition.Item, loop, loop);
            from = loop;
        }

        _edges.Add((from, null, to));
    }

    private Expression.Graph? Multiply(int end, int least, int? most)
    {
        // Beyond the least number, counting on is needed only where there is a greatest.
        var counts = (most ?? least) + 1;
        if ((long)_nodes * counts > MostNodes)
        {
            return null;
        }

        List<GraphEdge> edges = new(_edges.Count * counts);
        foreach (var (from, set, to) in _edges)
        {
            for (var count = 0; count < counts; count++)
            {
                var next = set is null ? count : most is null ? Math.Min(count + 1, least) : count + 1;
                if (next < counts)
                {
                    edges.Add(new((from * counts) + count, set is null ? Expression.Nothing : Expression.Any(set), (to * counts) + next));
                }
            }
        }

        return new(edges, [.. Enumerable.Range(least, counts - least).Select(count => (end * counts) + count)]);
    }
}
