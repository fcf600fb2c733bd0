namespace Llava.ModelCore.Grammars.Automata;

/// <summary>What may follow within a token, the same for every state from which the network reads alike that far.</summary>
internal sealed class Outlook
{
    /// <summary>Tokens that may come next, in the two ways in which a tokenizer may write them; null where nobody has asked yet.</summary>
    public ulong[]?[] Masks { get; } = new ulong[]?[2];
}

/// <summary>
/// The outlooks of an automaton's states. A text that is counted has a state for each character, but until its end comes near they all look ahead on the same:
/// what has been worked out for one serves them all.
/// </summary>
/// <param name="network">The network that is run.</param>
/// <param name="bytes">Bytes of the longest token.</param>
internal sealed class Outlooks(Network network, int bytes)
{
    private const int Most = 2048;

    private readonly int[] _alike = AlikeStates.Of(network, bytes);
    private readonly Dictionary<PlaceSet, Outlook> _known = [];
    private readonly FrameTable _frames = new();

    /// <summary>The outlook of a state; those that are not asked for long are worked out again.</summary>
    public Outlook Of(AutomatonState state) => state.Outlook ??= Find(state);

    private Outlook Find(AutomatonState state)
    {
        if (_known.Count >= Most)
        {
            _known.Clear();
            _frames.Clear();
        }

        // Whether the text may end here is no part of it: tokens add to the text.
        PlaceSet places = new([.. state.Places.Select(place => new Place(_alike[place.State], AlikeFrame(place.Frame))).Distinct()], accepts: false);
        if (!_known.TryGetValue(places, out var outlook))
        {
            _known.Add(places, outlook = new());
        }

        return outlook;
    }

    private Frame? AlikeFrame(Frame? frame) => frame is null ? null : _frames.Get(AlikeFrame(frame.Outer), _alike[frame.ReturnTo]);
}
