namespace Llava.Ledger.Storage;

/// <summary>Patterns of SQL's <c>like … escape '\'</c> from what people type.</summary>
internal static class LikePattern
{
    /// <summary>Matches whatever holds the text; none of its letters means anything else.</summary>
    public static string Containing(string text) =>
        $"%{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal)}%";
}
