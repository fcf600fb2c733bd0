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
    private readonly Dictionary<(Frame?, int), Frame> _frames = [];
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
                    Open(new(call.Rule, FrameOf(next.Frame, call.To)));
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

    private Frame FrameOf(Frame? outer, int returnTo)
    {
        if (!_frames.TryGetValue((outer, returnTo), out var frame))
        {
            _frames.Add((outer, returnTo), frame = new(outer, returnTo, (outer?.Depth ?? 0) + 1));
        }

        return frame;
    }

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

    /// <summary>A call that is open: where it goes on, and the call around it. Equal ones are the same object.</summary>
    internal sealed class Frame(Frame? outer, int returnTo, int depth)
    {
        public Frame? Outer => outer;

        public int ReturnTo => returnTo;

        public int Depth => depth;
    }

    /// <summary>A state of the network with the calls that are open.</summary>
    internal readonly record struct Place(int State, Frame? Frame);

    /// <summary>Places as a key, whatever their order.</summary>
    private readonly struct PlaceSet : IEquatable<PlaceSet>
    {
        private readonly HashSet<Place>? _unordered;
        private readonly bool _accepts;
        private readonly int _hash;

        public PlaceSet(Place[] places, bool accepts)
        {
            (Places, _accepts) = (places, accepts);
            _unordered = places.Length > 4 ? [.. places] : null;
            _hash = places.Aggregate(places.Length, (hash, place) => hash + place.GetHashCode());
        }

        public Place[] Places { get; }

        public bool Equals(PlaceSet other)
        {
            if (_hash != other._hash || _accepts != other._accepts || Places.Length != other.Places.Length)
            {
                return false;
            }

            return Array.TrueForAll(Places, place => other._unordered?.Contains(place) ?? Array.IndexOf(other.Places, place) >= 0);
        }

        public override bool Equals(object? obj) => obj is PlaceSet other && Equals(other);

        public override int GetHashCode() => _hash;
    }
}

/// <summary>All places in which the network can be after the same text.</summary>
internal sealed class AutomatonState(Automaton.Place[] places, bool accepts)
{
    public static AutomatonState Dead { get; } = new([], accepts: false);

    /// <summary>Those that read something.</summary>
    public Automaton.Place[] Places => places;

    /// <summary>Whether the text may end here.</summary>
    public bool Accepts => accepts;

    /// <summary>Whether anything may follow.</summary>
    public bool CanContinue => places.Length > 0;

    /// <summary>By the next byte; null where nobody has asked yet.</summary>
    internal AutomatonState?[] Next { get; } = new AutomatonState?[256];

    /// <summary>Tokens that may come next, in the two ways in which a tokenizer may write them; null where nobody has asked yet.</summary>
    internal ulong[]?[] Masks { get; } = new ulong[]?[2];

    internal void Forget()
    {
        Array.Clear(Next);
        Array.Clear(Masks);
    }
}
