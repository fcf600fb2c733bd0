namespace Llava.ModelCore.Engine;

/// <summary>
/// Sequences that wait for a slot: the highest class first, first come first served within a class. The head is never
/// passed by a smaller one, and after so many of a class those below it get a turn, so nothing waits for ever.
/// </summary>
internal sealed class WaitingQueue
{
    /// <summary>Admissions of a class in a row while a lower one waits.</summary>
    public const int MostInARow = 8;

    private readonly List<Sequence>[] _classes = [.. Enum.GetValues<RequestPriority>().Select(_ => new List<Sequence>())];
    private readonly int[] _inARow = new int[Enum.GetValues<RequestPriority>().Length];

    public int Count => _classes.Sum(waiting => waiting.Count);

    /// <summary>Who is next; null when nobody waits.</summary>
    public Sequence? Head => Next() is { } next ? _classes[next][0] : null;

    public void Enqueue(Sequence sequence) => ClassOf(sequence).Add(sequence);

    public void Dequeue()
    {
        var next = Next() ?? throw new InvalidOperationException("Nobody waits.");
        _inARow[next] = LowestWaiting() < next ? _inARow[next] + 1 : 0;
        _classes[next].RemoveAt(0);
        // Those above have had their turns and given way.
        Array.Clear(_inARow, next + 1, _inARow.Length - next - 1);
    }

    /// <summary>Takes one out, wherever it stands.</summary>
    public bool Remove(Sequence sequence) => ClassOf(sequence).Remove(sequence);

    private int? Next()
    {
        var lowest = LowestWaiting();
        for (var next = _classes.Length - 1; next >= 0; next--)
        {
            if (_classes[next].Count > 0 && (next == lowest || _inARow[next] < MostInARow))
            {
                return next;
            }
        }

        return null;
    }

    private int LowestWaiting() => Array.FindIndex(_classes, waiting => waiting.Count > 0);

    private List<Sequence> ClassOf(Sequence sequence) => _classes[(int)sequence.Request.Priority];
}
