using Llava.Ledger.Schedules;

namespace Llava.Dashboard.Schedules;

/// <summary>When a schedule would fire: in words, and the next times on the zone's clock; or what is wrong with it.</summary>
/// <param name="Words">Such as <c>every day at 02:00 (Europe/Berlin)</c>; null where it cannot be read.</param>
/// <param name="Times">The next fires.</param>
/// <param name="Problems">What is wrong.</param>
public sealed record NextFires(string? Words, IReadOnlyList<DateTimeOffset> Times, IReadOnlyList<string> Problems)
{
    private const int Shown = 5;
    private const int LongestText = 200;

    /// <summary>Reads what somebody has typed so far.</summary>
    public static NextFires Of(string? cron, string? timeZone, DateTimeOffset now)
    {
        if (cron?.Length > LongestText || timeZone?.Length > LongestText)
        {
            return new(null, [], [$"A cron expression and a time zone have at most {LongestText} letters."]);
        }

        try
        {
            return Of(Cadence.Parse(cron ?? "", timeZone ?? ""), now);
        }
        catch (InvalidScheduleException invalid)
        {
            return new(null, [], [.. invalid.Findings.Select(finding => $"{finding.Field} {finding.Message}")]);
        }
    }

    /// <summary>The next fires of a schedule there is.</summary>
    public static NextFires Of(Cadence cadence, DateTimeOffset now)
    {
        List<DateTimeOffset> times = [];
        while (times.Count < Shown && cadence.Next(times.Count == 0 ? now : times[^1]) is { } next)
        {
            times.Add(next);
        }

        return new(cadence.Words, times, []);
    }
}
