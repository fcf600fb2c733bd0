namespace Llava.ModelCore.Grammars.Automata;

/// <summary>Paths through a network on which nothing is read: skips, calls, and returns from rules to whatever calls them.</summary>
internal static class SilentPaths
{
    /// <summary>Edges of the longest one; null where there are endless ones.</summary>
    public static int? Longest(Network network)
    {
        var edges = Edges(network);
        var waiting = new int[network.Count];
        foreach (var to in edges.SelectMany(targets => targets))
        {
            waiting[to]++;
        }

        // Topological order (Kahn 1962); what is on a circle, or behind one, never comes to its turn.
        Queue<int> ready = new(Enumerable.Range(0, network.Count).Where(state => waiting[state] == 0));
        var lengths = new int[network.Count];
        var done = 0;
        for (; ready.TryDequeue(out var state); done++)
        {
            foreach (var to in edges[state])
            {
                lengths[to] = Math.Max(lengths[to], lengths[state] + 1);
                if (--waiting[to] == 0)
                {
                    ready.Enqueue(to);
                }
            }
        }

        return done == network.Count ? lengths.DefaultIfEmpty().Max() : null;
    }

    private static List<int>[] Edges(Network network)
    {
        var edges = Enumerable.Range(0, network.Count).Select(_ => new List<int>()).ToArray();
        foreach (var rule in Enumerable.Range(0, network.Count).SelectMany(state => network[state].Calls).ToLookup(call => call.Rule, call => call.To))
        {
            var returns = rule.Distinct().ToList();
            foreach (var end in Ends(network, rule.Key))
            {
                edges[end].AddRange(returns);
            }
        }

        for (var state = 0; state < network.Count; state++)
        {
            edges[state].AddRange(network[state].Skips);
            edges[state].AddRange(network[state].Calls.Select(call => call.Rule));
        }

        return edges;
    }

    private static IEnumerable<int> Ends(Network network, int rule)
    {
        HashSet<int> seen = [rule];
        Stack<int> open = new(seen);
        while (open.TryPop(out var state))
        {
            if (network[state].EndsRule)
            {
                yield return state;
            }

            foreach (var to in network[state].Bytes.Select(edge => edge.To).Concat(network[state].Skips).Concat(network[state].Calls.Select(call => call.To)).Where(seen.Add))
            {
                open.Push(to);
            }
        }
    }
}
