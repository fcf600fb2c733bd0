using System.Collections.Concurrent;
using System.Globalization;

namespace Llava.ModelCore.Grammars;

/// <summary>Sets of characters that have a name in regular expressions.</summary>
internal static class CharacterClasses
{
    private static readonly ConcurrentDictionary<string, RuneSet> Categories = new(StringComparer.Ordinal);
    private static readonly RuneSet Digits = RuneSet.Of(('0', '9'));
    private static readonly RuneSet Words = RuneSet.Of(('0', '9'), ('A', 'Z'), ('a', 'z'), ('_', '_'));
    private static readonly RuneSet Spaces = RuneSet.OfText(" \t\n\r\f\v");

    /// <summary>What <c>.</c> stands for: anything that ends a line in neither language.</summary>
    public static RuneSet Dot { get; } = RuneSet.OfText("\n\r\u2028\u2029").Complement();

    /// <summary>What a backslash and this letter stand for; null for other letters.</summary>
    /// <param name="letter">The letter.</param>
    /// <param name="isWide">Whether it is what any language takes it for, and not what all do: where the class around it takes it away.</param>
    public static RuneSet? Shorthand(int letter, bool isWide) => letter switch
    {
        'd' => isWide ? Category("Nd")! : Digits,
        'w' => isWide ? WideWords() : Words,
        's' => isWide ? WideSpaces() : Spaces,
        'D' or 'W' or 'S' => Shorthand(char.ToLowerInvariant((char)letter), !isWide)!.Complement(),
        _ => null,
    };

    /// <summary>The characters of a Unicode category, such as <c>L</c> or <c>Lu</c>; null if there is none of that name.</summary>
    public static RuneSet? Category(string name)
    {
        var categories = Enum.GetValues<UnicodeCategory>().Where(one => ShortName(one).StartsWith(name, StringComparison.Ordinal)).ToHashSet();
        return name.Length is 1 or 2 && categories.Count > 0 ? Categories.GetOrAdd(name, _ => RuneSet.OfCategories(categories.Contains)) : null;
    }

    private static RuneSet WideWords() => Categories.GetOrAdd("\\w", _ => Words.Union(Category("L")!).Union(Category("M")!).Union(Category("Nd")!).Union(Category("Pc")!));

    private static RuneSet WideSpaces() => Categories.GetOrAdd("\\s", _ => Spaces.Union(Category("Z")!).Union(RuneSet.OfText("\u0085\uFEFF")));

    private static string ShortName(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => "Lu",
        UnicodeCategory.LowercaseLetter => "Ll",
        UnicodeCategory.TitlecaseLetter => "Lt",
        UnicodeCategory.ModifierLetter => "Lm",
        UnicodeCategory.OtherLetter => "Lo",
        UnicodeCategory.NonSpacingMark => "Mn",
        UnicodeCategory.SpacingCombiningMark => "Mc",
        UnicodeCategory.EnclosingMark => "Me",
        UnicodeCategory.DecimalDigitNumber => "Nd",
        UnicodeCategory.LetterNumber => "Nl",
        UnicodeCategory.OtherNumber => "No",
        UnicodeCategory.SpaceSeparator => "Zs",
        UnicodeCategory.LineSeparator => "Zl",
        UnicodeCategory.ParagraphSeparator => "Zp",
        UnicodeCategory.Control => "Cc",
        UnicodeCategory.Format => "Cf",
        UnicodeCategory.Surrogate => "Cs",
        UnicodeCategory.PrivateUse => "Co",
        UnicodeCategory.ConnectorPunctuation => "Pc",
        UnicodeCategory.DashPunctuation => "Pd",
        UnicodeCategory.OpenPunctuation => "Ps",
        UnicodeCategory.ClosePunctuation => "Pe",
        UnicodeCategory.InitialQuotePunctuation => "Pi",
        UnicodeCategory.FinalQuotePunctuation => "Pf",
        UnicodeCategory.OtherPunctuation => "Po",
        UnicodeCategory.MathSymbol => "Sm",
        UnicodeCategory.CurrencySymbol => "Sc",
        UnicodeCategory.ModifierSymbol => "Sk",
        UnicodeCategory.OtherSymbol => "So",
        _ => "Cn",
    };
}
