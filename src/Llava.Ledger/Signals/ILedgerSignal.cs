namespace Llava.Ledger.Signals;

/// <summary>
/// A doorbell: whoever changes the ledger rings, loops wake at once; with PostgreSQL those of other processes too. Nothing
/// relies on it: behind every wait stands a poll, which finds what no ring told.
/// </summary>
public interface ILedgerSignal
{
    /// <summary>Wakes those who wait for <paramref name="topic"/>.</summary>
    void Ring(LedgerTopic topic);

    /// <summary>Starts listening; what rings from now on is not missed, however long the listener is busy.</summary>
    ILedgerListener Listen(params IReadOnlyList<LedgerTopic> topics);
}

/// <summary>One who waits for some topics.</summary>
public interface ILedgerListener : IDisposable
{
    /// <summary>Returns when a topic rang since the last return, or after <paramref name="atMost"/>.</summary>
    Task WaitAsync(TimeSpan atMost, CancellationToken cancellation);
}
