namespace Llava.Ledger.Schedules;

/// <summary>Time zones by their IANA names.</summary>
internal static class TimeZones
{
    private const int Suggestions = 3;

    public static TimeZoneInfo? Find(string name) =>
        TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) && zone.Id == name && zone.HasIanaId ? zone : null;

    /// <summary>The names most like <paramref name="typed"/>, in whole or in their last part, the likest first.</summary>
    public static IEnumerable<string> Near(string typed) => TimeZoneInfo.GetSystemTimeZones()
        .Select(zone => zone.Id)
        .OrderBy(name => Math.Min(Distance(typed, name), 1 + Distance(typed[(typed.LastIndexOf('/') + 1)..], name[(name.LastIndexOf('/') + 1)..])))
        .ThenBy(name => name, StringComparer.Ordinal)
        .Take(Suggestions);

    /// <summary>Levenshtein's, letters alike in either case and blanks like underscores.</summary>
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        foreach (var (i, letter) in left.Index())
        {
            var diagonal = row[0];
            row[0] = i + 1;
            for (var j = 1; j <= right.Length; j++)
            {
                var replaced = diagonal + (Same(letter, right[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];

        static bool Same(char left, char right) => Plain(left) == Plain(right);

        static char Plain(char letter) => letter == ' ' ? '_' : char.ToLowerInvariant(letter);
    }
}
