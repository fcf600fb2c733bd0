namespace Llava.ModelCore.Grammars.Automata;

/// <summary>
/// A recursive transition network over bytes (Woods 1970): states with edges that read a byte, read nothing, or read what a rule reads and go on behind it.
/// </summary>
internal sealed class Network
{
    /// <summary>Calls that may be open at the same time; deeper nesting is not written.</summary>
    public const int MostOpenCalls = 128;

    private readonly NetworkState[] _states;
    private readonly int[] _depths;

    public Network(NetworkState[] states, int start)
    {
        (_states, Start) = (states, start);
        _depths = NestingDepths();
    }

    public int Start { get; }

    public int Count => _states.Length;

    public NetworkState this[int state] => _states[state];

    /// <summary>Whether the rule that the state belongs to can come to its end with this many further calls.</summary>
    public bool CanEnd(int state, int calls) => _depths[state] <= calls;

    /// <summary>Further calls that this takes; the largest number where it cannot.</summary>
    public int CallsToEnd(int state) => _depths[state];

    /// <summary>How deep the calls on the shallowest way to the end of each state's rule are nested; the largest number where there is no way.</summary>
    private int[] NestingDepths()
    {
        var depths = new int[_states.Length];
        for (var state = 0; state < depths.Length; state++)
        {
            depths[state] = _states[state].EndsRule ? 0 : int.MaxValue;
        }

        bool changed;
        do
        {
            changed = false;
            // Ends have the higher numbers, mostly.
            for (var state = _states.Length - 1; state >= 0; state--)
            {
                var depth = DepthOf(_states[state], depths);
                changed |= depth < depths[state];
                depths[state] = Math.Min(depths[state], depth);
            }
        }
        while (changed);
        return depths;
    }

    private static int DepthOf(NetworkState state, int[] depths)
    {
        var least = state.EndsRule ? 0 : int.MaxValue;
        foreach (var edge in state.Bytes)
        {
            least = Math.Min(least, depths[edge.To]);
        }

        foreach (var to in state.Skips)
        {
            least = Math.Min(least, depths[to]);
        }

        foreach (var call in state.Calls)
        {
            var inside = depths[call.Rule];
            least = Math.Min(least, Math.Max(inside == int.MaxValue ? inside : inside + 1, depths[call.To]));
        }

        return least;
    }
}

/// <summary>A state with the edges that leave it.</summary>
internal sealed class NetworkState
{
    public List<ByteEdge> Bytes { get; } = [];

    public List<int> Skips { get; } = [];

    public List<CallEdge> Calls { get; } = [];

    /// <summary>Whether whatever called the rule goes on from here.</summary>
    public bool EndsRule { get; set; }

    /// <summary>The states to which the edges lead, those of calls to both the rule and what is behind it.</summary>
    public IEnumerable<int> Next => Bytes.Select(edge => edge.To).Concat(Skips).Concat(Calls.SelectMany(call => (int[])[call.Rule, call.To]));
}

/// <summary>Reads one byte of a range.</summary>
internal readonly record struct ByteEdge(byte First, byte Last, int To);

/// <summary>Reads what a rule reads, from its first state on.</summary>
internal readonly record struct CallEdge(int Rule, int To);
