namespace Llava.ModelCore.Grammars.Automata;

/// <summary>
/// A network run deterministically, byte by byte: each state stands for all places in which the network can be, and is made when it is first reached. What has been
/// made is forgotten when it becomes too much; whoever holds a state can go on from it. For one thread.
/// </summary>
internal sealed class Automaton
{
    private const int MostPlaces = 1000;

    private readonly Network _network;
    private readonly int _mostStates;
    private readonly PlaceSet _start;
    private readonly Dictionary<PlaceSet, AutomatonState> _states = [];
    private readonly FrameTable _frames = new();
    private readonly HashSet<Place> _seen = [];
    private readonly Stack<Place> _open = [];

    /// <param name="network">What is run.</param>
    /// <param name="mostStates">States after which those before are forgotten.</param>
    public Automaton(Network network, int mostStates = 2048)
    {
        (_network, _mostStates) = (network, mostStates);
        Visit(new(network.Start, null));
        Start = Collect();
        _start = new(Start.Places, Start.Accepts);
    }

    /// <summary>Before the first byte.</summary>
    public AutomatonState Start { get; }

    /// <summary>Whether no text is accepted but perhaps the empty one.</summary>
    public bool IsEmpty => !Start.CanContinue;

    /// <summary>States that are remembered.</summary>
    public int StateCount => _states.Count;

    /// <summary>The state behind a byte; null where nothing that is accepted goes on with it.</summary>
    public AutomatonState? Step(AutomatonState state, byte value)
    {
        ref var next = ref state.Next[value];
        if (next is null)
        {
            foreach (var place in state.Places)
            {
                foreach (var edge in _network[place.State].Bytes)
                {
                    if (edge.First <= value && value <= edge.Last)
                    {
                        Visit(new(edge.To, place.Frame));
                    }
                }
            }

            next = Collect();
        }

        return next == AutomatonState.Dead ? null : next;
    }

    /// <summary>Notes a place, and all that are reached from it without reading, from which the end can still be reached.</summary>
    private void Visit(Place place)
    {
        Open(place);
        while (_open.TryPop(out var next))
        {
            var state = _network[next.State];
            foreach (var to in state.Skips)
            {
                Open(new(to, next.Frame));
            }

            foreach (var call in state.Calls)
            {
                if (_network.CanEnd(call.To, CallsLeft(next.Frame)))
                {
                    Open(new(call.Rule, _frames.Get(next.Frame, call.To)));
                }
            }

            if (state.EndsRule && next.Frame is { } frame)
            {
                Open(new(frame.ReturnTo, frame.Outer));
            }
        }
    }

    private void Open(Place place)
    {
        if (_network.CanEnd(place.State, CallsLeft(place.Frame)) && _seen.Add(place))
        {
            _open.Push(place);
        }

        if (_seen.Count > MostPlaces)
        {
            _seen.Clear();
            _open.Clear();
            throw new GrammarException("invalid_grammar", $"What the answer must look like can be read in more than {MostPlaces} ways at once. Say it with fewer repetitions of what may be empty.");
        }
    }

    private static int CallsLeft(Frame? frame) => Network.MostOpenCalls - (frame?.Depth ?? 0);

    /// <summary>The state that stands for the places that were noted.</summary>
    private AutomatonState Collect()
    {
        if (_seen.Count == 0)
        {
            return AutomatonState.Dead;
        }

        var accepts = _seen.Any(place => place.Frame is null && _network[place.State].EndsRule);
        PlaceSet places = new([.. _seen.Where(place => _network[place.State].Bytes.Count > 0)], accepts);
        _seen.Clear();
        if (!_states.TryGetValue(places, out var state))
        {
            if (_states.Count >= _mostStates)
            {
                Forget();
            }

            _states.Add(places, state = new(places.Places, accepts));
        }

        return state;
    }

    /// <summary>The first state leads to all others, so what states know of each other has to go too.</summary>
    private void Forget()
    {
        foreach (var state in _states.Values)
        {
            state.Forget();
        }

        _states.Clear();
        _frames.Clear();
        _states.Add(_start, Start);
    }
}
