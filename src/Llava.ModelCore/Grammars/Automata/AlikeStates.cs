using System.Runtime.InteropServices;

namespace Llava.ModelCore.Grammars.Automata;

/// <summary>
/// States of a network that nothing tells apart within some bytes: bisimulation up to a depth, found by refining a partition (Paige, Tarjan 1987) for as many rounds
/// as edges can be walked for these bytes. In a round only those are looked at again from which an edge leads to a state that was set apart in the round before.
/// </summary>
internal sealed class AlikeStates
{
    private readonly Network _network;
    private readonly int[] _classes;
    private readonly List<int> _sizes = [];
    private readonly List<string> _signatures = [];
    private readonly List<int>[] _before;
    private readonly List<int> _signature = [];

    private AlikeStates(Network network)
    {
        _network = network;
        _classes = new int[network.Count];
        _before = [.. Enumerable.Range(0, network.Count).Select(_ => new List<int>())];
        Dictionary<(bool, int), int> first = [];
        for (var state = 0; state < network.Count; state++)
        {
            var key = (network[state].EndsRule, network.CallsToEnd(state));
            if (!first.TryGetValue(key, out var kind))
            {
                first.Add(key, kind = AddClass(""));
            }

            _classes[state] = kind;
            _sizes[kind]++;
            foreach (var next in network[state].Next)
            {
                _before[next].Add(state);
            }
        }
    }

    /// <summary>For each state the number of its class. Places whose states, and those of the calls open around them, are of the same classes read the same texts of at most so many bytes.</summary>
    /// <param name="network">The network.</param>
    /// <param name="bytes">So many.</param>
    public static int[] Of(Network network, int bytes)
    {
        if (SilentPaths.Longest(network) is not { } silent)
        {
            // No number of edges is enough for a byte.
            return [.. Enumerable.Range(0, network.Count)];
        }

        AlikeStates states = new(network);
        HashSet<int> open = [.. Enumerable.Range(0, network.Count)];
        for (var edges = 0L; edges < ((bytes + 1L) * (silent + 1)) && open.Count > 0; edges++)
        {
            open = states.Refine(open);
        }

        return states._classes;
    }

    /// <summary>Sets states apart by the classes to which their edges lead.</summary>
    /// <returns>States from which an edge leads to one that has a new class.</returns>
    private HashSet<int> Refine(HashSet<int> open)
    {
        // All signatures are read before any class changes.
        var groups = open.Select(state => (State: state, Class: _classes[state], Signature: SignatureOf(state))).ToLookup(state => state.Class);
        HashSet<int> next = [];
        foreach (var group in groups)
        {
            var parts = group.ToLookup(state => state.Signature, state => state.State);
            if (_sizes[group.Key] == group.Count())
            {
                // The largest keeps the class, so that the fewest have to be looked at again.
                _signatures[group.Key] = parts.MaxBy(part => part.Count())!.Key;
            }

            foreach (var part in parts.Where(part => part.Key != _signatures[group.Key]))
            {
                var apart = AddClass(part.Key);
                foreach (var state in part)
                {
                    _classes[state] = apart;
                    _sizes[apart]++;
                    _sizes[group.Key]--;
                    next.UnionWith(_before[state]);
                }
            }
        }

        return next;
    }

    private int AddClass(string signature)
    {
        _signatures.Add(signature);
        _sizes.Add(0);
        return _sizes.Count - 1;
    }

    /// <summary>A state's edges with the classes to which they lead, as a key.</summary>
    private string SignatureOf(int state)
    {
        var (from, into) = (_network[state], _signature);
        into.Clear();
        foreach (var edge in from.Bytes)
        {
            into.AddRange([edge.First, edge.Last, _classes[edge.To]]);
        }

        into.Add(-1);
        foreach (var to in from.Skips)
        {
            into.Add(_classes[to]);
        }

        into.Add(-1);
        foreach (var call in from.Calls)
        {
            into.AddRange([_classes[call.Rule], _classes[call.To]]);
        }

        return new(MemoryMarshal.Cast<int, char>(CollectionsMarshal.AsSpan(into)));
    }
}
