namespace Llava.Ledger.Storage;

/// <summary>
/// The time by which leases are judged: the database server's, so that a machine whose clock is wrong neither loses its
/// leases at once nor keeps them for ever. Only the time of day is corrected; timers and time stamps are this machine's.
/// </summary>
/// <param name="own">This machine's clock.</param>
/// <param name="followsServer">False for a clock that a test moves.</param>
internal sealed class LedgerClock(TimeProvider own, bool followsServer = true) : TimeProvider
{
    private long _aheadTicks;

    public override long TimestampFrequency => own.TimestampFrequency;

    public override TimeZoneInfo LocalTimeZone => own.LocalTimeZone;

    /// <summary>How much further the server's clock is than this machine's.</summary>
    public TimeSpan ServerIsAhead => new(Volatile.Read(ref _aheadTicks));

    public override DateTimeOffset GetUtcNow() => own.GetUtcNow() + ServerIsAhead;

    public override long GetTimestamp() => own.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => own.CreateTimer(callback, state, dueTime, period);

    /// <summary>Follows the server, whose clock showed <paramref name="server"/> a moment ago.</summary>
    public void Follow(DateTimeOffset server)
    {
        if (followsServer)
        {
            Volatile.Write(ref _aheadTicks, (server - own.GetUtcNow()).Ticks);
        }
    }
}
