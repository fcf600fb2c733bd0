using System.Globalization;

namespace Llava.Dashboard.Elements;

/// <summary>Numbers and times as people read them.</summary>
internal static class Words
{
    private static readonly string[] Sizes = ["B", "KB", "MB", "GB", "TB"];

    /// <summary>A whole number with separators.</summary>
    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A number of things: <c>1 item</c>, <c>2,400 items</c>.</summary>
    public static string Count(long number, string thing, string? things = null) => $"{Count(number)} {(number == 1 ? thing : things ?? thing + "s")}";

    /// <summary>A number in few letters: <c>940</c>, <c>12.4k</c>, <c>3.1M</c>.</summary>
    public static string Short(double number) => number switch
    {
        >= 1e9 => string.Create(CultureInfo.InvariantCulture, $"{number / 1e9:0.#}G"),
        >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{number / 1e6:0.#}M"),
        >= 1e4 => string.Create(CultureInfo.InvariantCulture, $"{number / 1e3:0.#}k"),
        _ => number.ToString("#,0.#", CultureInfo.InvariantCulture),
    };

    /// <summary>A rate: one decimal below ten, none from there on.</summary>
    public static string Rate(double perSecond) => perSecond.ToString(perSecond is > 0 and < 10 ? "0.0" : "#,0", CultureInfo.InvariantCulture);

    /// <summary>A share of one as a percentage.</summary>
    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.#} %");

    /// <summary>Milliseconds or seconds, whichever reads better.</summary>
    public static string Milliseconds(double milliseconds) => milliseconds switch
    {
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0.0} ms"),
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0} ms"),
        < 60_000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000:0.0} s"),
        _ => Duration(TimeSpan.FromMilliseconds(milliseconds)),
    };

    /// <summary>A span in its two largest units: <c>2 h 5 min</c>.</summary>
    public static string Duration(TimeSpan span) => span switch
    {
        { TotalSeconds: < 1 } => "under 1 s",
        { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{span.Seconds} s"),
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{span.Minutes} min {span.Seconds} s"),
        { TotalDays: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{span.Hours} h {span.Minutes} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalDays} d {span.Hours} h"),
    };

    /// <summary>Bytes in the unit that leaves few digits.</summary>
    public static string Bytes(long bytes)
    {
        var (size, unit) = ((double)bytes, 0);
        for (; size >= 1024 && unit < Sizes.Length - 1; unit++)
        {
            size /= 1024;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{size:0.#} {Sizes[unit]}");
    }

    /// <summary>How far a moment is from now, roughly: <c>just now</c>, <c>3 minutes ago</c>, <c>in 2 hours</c>.</summary>
    public static string Ago(DateTimeOffset moment, DateTimeOffset now)
    {
        var distance = (now - moment).Duration();
        if (distance < TimeSpan.FromMinutes(1))
        {
            return moment <= now ? "just now" : "in a moment";
        }

        var words = distance switch
        {
            { TotalHours: < 1 } => Count((long)distance.TotalMinutes, "minute"),
            { TotalDays: < 1 } => Count((long)distance.TotalHours, "hour"),
            { TotalDays: < 60 } => Count((long)distance.TotalDays, "day"),
            _ => Count((long)(distance.TotalDays / 30), "month"),
        };
        return moment <= now ? $"{words} ago" : $"in {words}";
    }

    /// <summary>The moment to the second, in UTC.</summary>
    public static string Exact(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
