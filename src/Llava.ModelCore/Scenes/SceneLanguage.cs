namespace Llava.ModelCore.Scenes;

/// <summary>How objects, places and numbers are put into words.</summary>
internal static class SceneLanguage
{
    private static readonly string[] Numbers = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

    public static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    public static string Number(int count) => Numbers[count];

    /// <summary>"red circle".</summary>
    public static string Name(SceneObject item) => $"{Word(item.Color)} {Word(item.Shape)}";

    /// <summary>"a red circle", "an orange star".</summary>
    public static string Indefinite(string noun) => ("aeiou".Contains(noun[0], StringComparison.Ordinal) ? "an " : "a ") + noun;

    public static string Plural(string noun) => noun.EndsWith('s') ? noun + "es" : noun + "s";

    /// <summary>"at the top left", "on the right", "in the center".</summary>
    public static string Place(int cell) => cell switch
    {
        3 or 5 => "on the " + Scene.RegionOf(cell),
        4 => "in the " + Scene.RegionOf(cell),
        _ => "at the " + Scene.RegionOf(cell),
    };

    /// <summary>"x", "x and y", "x, y and z".</summary>
    public static string List(IReadOnlyList<string> items) => items.Count == 1
        ? items[0]
        : string.Join(", ", items.Take(items.Count - 1)) + " and " + items[^1];

    public static string Sentence(string text) => char.ToUpperInvariant(text[0]) + text[1..] + ".";
}
