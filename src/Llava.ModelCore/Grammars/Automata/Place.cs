namespace Llava.ModelCore.Grammars.Automata;

/// <summary>A state of the network with the calls that are open.</summary>
internal readonly record struct Place(int State, Frame? Frame);

/// <summary>A call that is open: where it goes on, and the call around it. Equal ones of a table are the same object.</summary>
internal sealed class Frame(Frame? outer, int returnTo, int depth)
{
    public Frame? Outer => outer;

    public int ReturnTo => returnTo;

    public int Depth => depth;
}

/// <summary>Calls that are open, each once.</summary>
internal sealed class FrameTable
{
    private readonly Dictionary<(Frame?, int), Frame> _frames = [];

    public Frame Get(Frame? outer, int returnTo)
    {
        if (!_frames.TryGetValue((outer, returnTo), out var frame))
        {
            _frames.Add((outer, returnTo), frame = new(outer, returnTo, (outer?.Depth ?? 0) + 1));
        }

        return frame;
    }

    public void Clear() => _frames.Clear();
}

/// <summary>Places as a key, whatever their order.</summary>
internal readonly struct PlaceSet : IEquatable<PlaceSet>
{
    private readonly HashSet<Place>? _unordered;
    private readonly bool _accepts;
    private readonly int _hash;

    /// <param name="places">Each once.</param>
    /// <param name="accepts">Whether the text may end here.</param>
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
