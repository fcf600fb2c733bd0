namespace Llava.ModelCore.Engine;

/// <summary>
/// Sequences that wait for a slot: interactive before bulk, first come first served within a class. The head is never
/// passed by a smaller one, and bulk gets its turn after so many interactive ones, so nothing waits for ever.
/// </summary>
internal sealed class WaitingQueue
{
    /// <summary>Interactive admissions in a row while bulk waits.</summary>
    public const int InteractiveInARow = 8;

    private readonly List<Sequence> _interactive = [];
    private readonly List<Sequence> _bulk = [];
    private int _inARow;

    public int Count => _interactive.Count + _bulk.Count;

    /// <summary>Who is next; null when nobody waits.</summary>
    public Sequence? Head => Next is { Count: > 0 } next ? next[0] : null;

    private List<Sequence> Next => _interactive.Count > 0 && (_bulk.Count == 0 || _inARow < InteractiveInARow) ? _interactive : _bulk;

    public void Enqueue(Sequence sequence) => ClassOf(sequence).Add(sequence);

    public void Dequeue()
    {
        var next = Next;
        _inARow = next == _interactive && _bulk.Count > 0 ? _inARow + 1 : 0;
        next.RemoveAt(0);
    }

    /// <summary>Takes one out, wherever it stands.</summary>
    public bool Remove(Sequence sequence) => ClassOf(sequence).Remove(sequence);

    private List<Sequence> ClassOf(Sequence sequence) => sequence.Request.Priority == RequestPriority.Interactive ? _interactive : _bulk;
}
