namespace Llava.ModelCore.Grammars.Schemas;

/// <summary>Formats of strings that have a regular form. The forms are narrower than the standards: whatever is written is right, not everything right is written.</summary>
internal static class StringFormats
{
    // The year 0000 is none in most libraries, and a leap day is not regular.
    private const string Date = @"[1-9][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))";
    private const string Time = @"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";
    private const string Byte = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private const string Label = "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?";

    private static readonly Dictionary<string, string> Patterns = new(StringComparer.Ordinal)
    {
        ["date"] = Date,
        ["time"] = Time,
        ["date-time"] = $"{Date}T{Time}",
        ["uuid"] = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        ["ipv4"] = $@"{Byte}\.{Byte}\.{Byte}\.{Byte}",
        ["hostname"] = $@"{Label}(\.{Label}){{0,4}}",
        ["email"] = $@"[a-z0-9]([a-z0-9_+-]{{0,30}}[a-z0-9])?(\.[a-z0-9]{{1,20}}){{0,2}}@{Label}(\.{Label}){{0,2}}\.[a-z]{{2,8}}",
    };

    public static IEnumerable<string> Names => Patterns.Keys.Order(StringComparer.Ordinal);

    /// <summary>Texts of the format; null where it is not known.</summary>
    public static Expression? Find(string name) => Patterns.TryGetValue(name, out var pattern) ? RegexParser.ParseWhole(pattern) : null;
}
