namespace Llava.Cli.Terminal;

/// <summary>Items and tokens per second over the last half minute, and the time left at that rate.</summary>
internal sealed class RateWindow(TimeProvider time)
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(30);
    private readonly Queue<(DateTimeOffset At, JobTick Tick)> _ticks = [];
    private JobTick _last;

    /// <summary>Items per second; 0 until two ticks were seen.</summary>
    public double ItemsPerSecond => PerSecond(t => t.Done);

    /// <summary>Generated tokens per second.</summary>
    public double TokensPerSecond => PerSecond(t => t.Tokens);

    /// <summary>Time left at the present rate; null while there is none.</summary>
    public TimeSpan? Eta => ItemsPerSecond > 0 ? TimeSpan.FromSeconds((_last.Total - _last.Done) / ItemsPerSecond) : null;

    public void Add(JobTick tick)
    {
        var now = time.GetUtcNow();
        _ticks.Enqueue((now, tick));
        _last = tick;
        while (_ticks.Count > 2 && now - _ticks.Peek().At > Length)
        {
            _ticks.Dequeue();
        }
    }

    private double PerSecond(Func<JobTick, long> count)
    {
        if (_ticks.Count < 2)
        {
            return 0;
        }

        var (start, first) = _ticks.Peek();
        var seconds = (time.GetUtcNow() - start).TotalSeconds;
        return seconds <= 0 ? 0 : Math.Max(0, count(_last) - count(first)) / seconds;
    }
}
