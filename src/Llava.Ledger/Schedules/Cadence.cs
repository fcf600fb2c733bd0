using Cronos;
using Llava.Contracts.Requests;

namespace Llava.Ledger.Schedules;

/// <summary>
/// When a schedule fires. The rules are those of Cronos, which Hangfire uses too: a time of day that the clocks skip fires at the
/// first moment after the gap, one that comes twice fires the first time only; what fires every so many minutes goes on through
/// both. Where day of month and day of week are both given, a day must be both.
/// </summary>
public sealed class Cadence
{
    private static readonly char[] Blanks = [' ', '\t'];

    private readonly CronExpression _cron;

    private Cadence(CronExpression cron, TimeZoneInfo zone, string words)
    {
        _cron = cron;
        TimeZone = zone;
        Words = words;
    }

    /// <summary>The zone that its times of day are read in.</summary>
    public TimeZoneInfo TimeZone { get; }

    /// <summary>In English, such as <c>every day at 02:00 (Europe/Berlin)</c>.</summary>
    public string Words { get; }

    /// <summary>Reads one that has been checked.</summary>
    /// <exception cref="InvalidScheduleException">It breaks rules; all are listed.</exception>
    public static Cadence Parse(string cron, string timeZone)
    {
        List<Finding> findings = [];
        return TryParse(cron, timeZone, findings) ?? throw new InvalidScheduleException(findings);
    }

    /// <summary>The first fire after <paramref name="after"/>, on the zone's clock; null when there is none in this or the next centuries.</summary>
    public DateTimeOffset? Next(DateTimeOffset after) => _cron.GetNextOccurrence(after, TimeZone);

    /// <summary>The last fire later than <paramref name="after"/> and not later than <paramref name="upTo"/>: of many that were missed, the one to make up for.</summary>
    public DateTimeOffset? Latest(DateTimeOffset after, DateTimeOffset upTo)
    {
        // From the end in growing steps: what was away for a year need not look at each of half a million minutes.
        for (var step = TimeSpan.FromMinutes(1); after < upTo; step *= 2)
        {
            var from = upTo - after > step ? upTo - step : after;
            if (LastOf(from, upTo) is { } latest)
            {
                return latest;
            }

            if (from == after)
            {
                return null;
            }
        }

        return null;
    }

    /// <summary>Reads one and adds what is wrong with it to <paramref name="findings"/>; null when something is.</summary>
    internal static Cadence? TryParse(string cron, string timeZone, List<Finding> findings)
    {
        var zone = TimeZones.Find(timeZone);
        if (zone is null)
        {
            var near = TimeZones.Near(timeZone);
            findings.Add(new("time_zone", $"is '{timeZone}', which is no IANA time zone known here; give one such as {string.Join(", ", near.Select(name => $"'{name}'"))}."));
        }

        var fields = cron.Split(Blanks, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length is not (5 or 6))
        {
            findings.Add(new("cron", $"is '{cron}', which has {fields.Length} fields; give five, such as '0 2 * * *' for every night at two: minute, hour, day of month, month, day of week."));
            return null;
        }

        if (!CronExpression.TryParse(cron, fields.Length == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard, out var expression))
        {
            findings.Add(new("cron", $"is '{cron}', which cannot be read; give minute (0-59), hour (0-23), day of month (1-31), month (1-12) and day of week (0-6 or SUN-SAT), with '*', ',', '-' and '/'."));
            return null;
        }

        if (WhyNot(expression) is { } reason)
        {
            findings.Add(new("cron", $"is '{cron}', which {reason}"));
            return null;
        }

        return zone is null ? null : new(expression, zone, $"{CronWords.Of(fields) ?? $"at the times of '{cron}'"} ({timeZone})");
    }

    private static string? WhyNot(CronExpression cron)
    {
        // Whichever minute is the first, every second that it matches lies in it.
        var start = new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var first = cron.GetNextOccurrence(start, TimeZoneInfo.Utc, inclusive: true);
        return first is null ? "never comes; give a date that is in the calendar."
            : cron.GetNextOccurrence(first.Value, TimeZoneInfo.Utc) is { } second && second - first < TimeSpan.FromMinutes(1) ? "comes more often than once a minute; give one second."
            : null;
    }

    private DateTimeOffset? LastOf(DateTimeOffset after, DateTimeOffset upTo)
    {
        DateTimeOffset? last = null;
        while (Next(last ?? after) is { } next && next <= upTo)
        {
            last = next;
        }

        return last;
    }
}
