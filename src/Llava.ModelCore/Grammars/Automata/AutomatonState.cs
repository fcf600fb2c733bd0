namespace Llava.ModelCore.Grammars.Automata;

/// <summary>All places in which the network can be after the same text.</summary>
internal sealed class AutomatonState(Place[] places, bool accepts)
{
    public static AutomatonState Dead { get; } = new([], accepts: false);

    /// <summary>Those that read something.</summary>
    public Place[] Places => places;

    /// <summary>Whether the text may end here.</summary>
    public bool Accepts => accepts;

    /// <summary>Whether anything may follow.</summary>
    public bool CanContinue => places.Length > 0;

    /// <summary>By the next byte; null where nobody has asked yet.</summary>
    internal AutomatonState?[] Next { get; } = new AutomatonState?[256];

    /// <summary>What may follow within a token; null where nobody has asked yet.</summary>
    internal Outlook? Outlook { get; set; }

    internal void Forget() => Array.Clear(Next);
}
