using System.Globalization;

namespace Llava.Ledger.Schedules;

/// <summary>The usual cron expressions in English.</summary>
internal static class CronWords
{
    private static readonly string[] DayNames = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

    /// <summary>In words, or null where the expression is an unusual one.</summary>
    public static string? Of(string[] fields)
    {
        var parts = fields.Length == 6 ? fields[1..] : fields;
        if (fields.Length == 6 && fields[0] != "0")
        {
            return null;
        }

        return (parts, Days(parts[2], parts[3], parts[4])) switch
        {
            (["*", "*", "*", "*", "*"], _) => "every minute",
            ([var minute, "*", "*", "*", "*"], _) when Step(minute) is { } step => $"every {step} minutes",
            ([var minute, "*", "*", "*", "*"], _) when Number(minute) is { } at => Invariant($"every hour at :{at:00}"),
            ([var minute, var hour, "*", "*", "*"], _) when Number(minute) is { } at && Step(hour) is { } step => Invariant($"every {step} hours at :{at:00}"),
            ([var minute, var hour, ..], { } days) when Number(minute) is { } at && Numbers(hour) is { } hours =>
                $"{days} at {Join(hours.Select(h => Invariant($"{h:00}:{at:00}")))}",
            _ => null,
        };
    }

    private static string? Days(string day, string month, string weekday) => (day, month, weekday) switch
    {
        ("*" or "?", "*", "*" or "?") => "every day",
        ("*" or "?", "*", _) => Weekdays(weekday),
        (_, "*", "*" or "?") when Numbers(day) is { } days => $"on day {Join(days.Select(d => Invariant($"{d}")))} of every month",
        (_, _, "*" or "?") when Number(day) is { } date && Number(month) is { } number and >= 1 and <= 12 =>
            Invariant($"every year on {date} {CultureInfo.InvariantCulture.DateTimeFormat.GetMonthName(number)}"),
        _ => null,
    };

    private static string? Weekdays(string field)
    {
        var days = field.Split('-', ',').Select(Weekday).ToList();
        return days.Contains(null) || (field.Contains('-', StringComparison.Ordinal) && (days.Count != 2 || field.Contains(',', StringComparison.Ordinal))) ? null
            : field.Contains('-', StringComparison.Ordinal) ? $"every {days[0]} to {days[1]}"
            : $"every {Join(days.Select(day => day!.Value.ToString()))}";
    }

    private static DayOfWeek? Weekday(string text) =>
        Number(text) is { } number and <= 7 ? (DayOfWeek)(number % 7)
        : Array.IndexOf(DayNames, text.ToUpperInvariant()) is >= 0 and var index ? (DayOfWeek)index
        : null;

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static int? Step(string text) => text.StartsWith("*/", StringComparison.Ordinal) ? Number(text[2..]) : null;

    private static List<int>? Numbers(string text)
    {
        var numbers = text.Split(',').Select(Number).ToList();
        return numbers.Contains(null) ? null : numbers.ConvertAll(number => number!.Value);
    }

    private static string Join(IEnumerable<string> words)
    {
        var all = words.ToList();
        return all.Count == 1 ? all[0] : $"{string.Join(", ", all[..^1])} and {all[^1]}";
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
