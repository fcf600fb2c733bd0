using System.Globalization;
using System.Text;

namespace Llava.ModelCore.Tokenization;

/// <summary>
/// Unicode's normalisation form C. <see cref="string.Normalize()"/> leaves text as it is under invariant globalization, which is how
/// we run so that ICU need not be installed.
/// </summary>
internal static class CanonicalComposition
{
    private const char FirstAffected = '\u0300'; // below it every text is in form C
    private const int HangulBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TrailBase = 0x11A7;
    private const int Leads = 19;
    private const int Vowels = 21;
    private const int Trails = 28;
    private const int HangulSyllables = Leads * Vowels * Trails;
    private static readonly Dictionary<int, int[]> Decompositions = [];
    private static readonly Dictionary<(int First, int Second), int> Composites = [];
    private static readonly Dictionary<int, int> CombiningClasses = [];

    static CanonicalComposition()
    {
        foreach (var entry in Entries(CanonicalTables.CombiningClasses))
        {
            var range = entry[0].Split('-');
            for (var point = Hex(range[0]); point <= Hex(range[^1]); point++)
            {
                CombiningClasses[point] = int.Parse(entry[1], CultureInfo.InvariantCulture);
            }
        }

        foreach (var entry in Entries(CanonicalTables.Decompositions))
        {
            foreach (var (offset, value) in entry[1].Split(',').Index())
            {
                var point = Hex(entry[0]) + offset;
                int[] parts = [.. value.TrimStart('!').Split('+').Select(Hex)];
                Decompositions[point] = parts;
                if (parts.Length == 2 && value[0] != '!')
                {
                    Composites[(parts[0], parts[1])] = point;
                }
            }
        }
    }

    /// <summary>The text in form C; lone surrogates become U+FFFD.</summary>
    public static string Compose(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange(FirstAffected, char.MaxValue))
        {
            return text;
        }

        List<int> points = new(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, points);
        }

        Order(points);
        var composed = new StringBuilder(text.Length);
        foreach (var point in Recompose(points))
        {
            composed.Append(char.ConvertFromUtf32(point));
        }

        return composed.ToString();
    }

    private static void Decompose(int point, List<int> points)
    {
        var syllable = point - HangulBase;
        if (syllable is >= 0 and < HangulSyllables)
        {
            points.Add(LeadBase + (syllable / (Vowels * Trails)));
            points.Add(VowelBase + (syllable / Trails % Vowels));
            if (syllable % Trails is var trail and > 0)
            {
                points.Add(TrailBase + trail);
            }
        }
        else if (Decompositions.TryGetValue(point, out var parts))
        {
            Array.ForEach(parts, part => Decompose(part, points));
        }
        else
        {
            points.Add(point);
        }
    }

    // Marks between two starters are sorted by class; equal classes keep their order.
    private static void Order(List<int> points)
    {
        for (var index = 1; index < points.Count; index++)
        {
            var point = points[index];
            var combiningClass = ClassOf(point);
            var target = index;
            while (combiningClass > 0 && target > 0 && ClassOf(points[target - 1]) > combiningClass)
            {
                points[target] = points[--target];
            }

            points[target] = point;
        }
    }

    private static List<int> Recompose(List<int> points)
    {
        List<int> result = new(points.Count);
        var starter = -1;
        var lastClass = 0;
        foreach (var point in points)
        {
            var combiningClass = ClassOf(point);
            var isReachable = starter >= 0 && (starter == result.Count - 1 || lastClass < combiningClass);
            if (isReachable && Composite(result[starter], point) is { } composite)
            {
                result[starter] = composite;
                continue;
            }

            if (combiningClass == 0)
            {
                starter = result.Count;
            }

            lastClass = combiningClass;
            result.Add(point);
        }

        return result;
    }

    private static int? Composite(int first, int second)
    {
        var (lead, vowel, trail) = (first - LeadBase, second - VowelBase, second - TrailBase);
        if (lead is >= 0 and < Leads && vowel is >= 0 and < Vowels)
        {
            return HangulBase + (((lead * Vowels) + vowel) * Trails);
        }

        var syllable = first - HangulBase;
        if (syllable is >= 0 and < HangulSyllables && syllable % Trails == 0 && trail is > 0 and < Trails)
        {
            return first + trail;
        }

        return Composites.TryGetValue((first, second), out var composite) ? composite : null;
    }

    private static int ClassOf(int point) => CombiningClasses.GetValueOrDefault(point);

    private static IEnumerable<string[]> Entries(string table) =>
        table.ReplaceLineEndings("\n").Replace(",\n", ",", StringComparison.Ordinal).Split([' ', '\n']).Select(entry => entry.Split('='));

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
