using System.Globalization;
using System.Text;

namespace Llava.ModelCore.Grammars;

/// <summary>A set of characters: ordered ranges of Unicode scalar values that do not touch.</summary>
internal sealed class RuneSet : IEquatable<RuneSet>
{
    private const int Last = 0x10FFFF;
    private readonly (int First, int Last)[] _ranges;

    private RuneSet((int, int)[] ranges) => _ranges = ranges;

    /// <summary>Every character; surrogates are none.</summary>
    public static RuneSet All { get; } = Of((0, 0xD7FF), (0xE000, Last));

    public IReadOnlyList<(int First, int Last)> Ranges => _ranges;

    public bool IsEmpty => _ranges.Length == 0;

    /// <summary>The characters of these ranges, in any order; what is no scalar value is left out.</summary>
    public static RuneSet Of(params IEnumerable<(int First, int Last)> ranges)
    {
        List<(int First, int Last)> merged = [];
        foreach (var (first, last) in ranges.SelectMany(WithoutSurrogates).OrderBy(range => range.First))
        {
            if (merged is [.., var before] && first <= before.Last + 1)
            {
                merged[^1] = (before.First, Math.Max(before.Last, last));
            }
            else
            {
                merged.Add((first, last));
            }
        }

        return new([.. merged]);
    }

    public static RuneSet Of(Rune rune) => Of((rune.Value, rune.Value));

    /// <summary>The characters of a text.</summary>
    public static RuneSet OfText(string text) => Of(text.EnumerateRunes().Select(rune => (rune.Value, rune.Value)));

    /// <summary>The characters of these categories, as .NET knows them.</summary>
    public static RuneSet OfCategories(Func<UnicodeCategory, bool> contains) => Of(
        All.Runes().Where(value => contains(Rune.GetUnicodeCategory(new Rune(value)))).Select(value => (value, value)));

    public RuneSet Union(RuneSet other) => Of(_ranges.Concat(other._ranges));

    public RuneSet Except(RuneSet other) => Of(_ranges.SelectMany(range => Cut(range, other)));

    public RuneSet Intersect(RuneSet other) => Except(All.Except(other));

    public RuneSet Complement() => All.Except(this);

    /// <summary>Whether the character is in the set.</summary>
    public bool Contains(int value) => Array.Exists(_ranges, range => range.First <= value && value <= range.Last);

    /// <summary>Every character of the set.</summary>
    public IEnumerable<int> Runes() => _ranges.SelectMany(range => Enumerable.Range(range.First, range.Last - range.First + 1));

    public bool Equals(RuneSet? other) => other is not null && _ranges.AsSpan().SequenceEqual(other._ranges);

    public override bool Equals(object? obj) => Equals(obj as RuneSet);

    public override int GetHashCode() => _ranges.Aggregate(_ranges.Length, HashCode.Combine);

    private static IEnumerable<(int First, int Last)> WithoutSurrogates((int First, int Last) range)
    {
        if (range.First <= Math.Min(range.Last, 0xD7FF))
        {
            yield return (range.First, Math.Min(range.Last, 0xD7FF));
        }

        if (Math.Max(range.First, 0xE000) <= Math.Min(range.Last, Last))
        {
            yield return (Math.Max(range.First, 0xE000), Math.Min(range.Last, Last));
        }
    }

    private static IEnumerable<(int First, int Last)> Cut((int First, int Last) range, RuneSet other)
    {
        var first = range.First;
        foreach (var hole in other._ranges.Where(hole => hole.Last >= range.First && hole.First <= range.Last))
        {
            if (hole.First > first)
            {
                yield return (first, hole.First - 1);
            }

            first = hole.Last + 1;
        }

        if (first <= range.Last)
        {
            yield return (first, range.Last);
        }
    }
}
