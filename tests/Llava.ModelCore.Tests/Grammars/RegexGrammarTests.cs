using System.Text.RegularExpressions;
using Llava.ModelCore.Grammars;

namespace Llava.ModelCore.Tests.Grammars;

/// <summary>Regular expressions against .NET's own engine, which is asked what it thinks of every text.</summary>
public sealed class RegexGrammarTests
{
    public static TheoryData<string> Patterns => [.. GrammarCases.Regexes];

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Whatever_is_written_matches(string pattern)
    {
        var (automaton, judge, random) = (Writing.Automaton(Grammar.OfRegex(pattern)), Judge(pattern), new Random(1));
        Assert.All(Enumerable.Range(0, 200).Select(_ => automaton.RandomText(random)), text => Assert.Matches(judge, text));
    }

    [Theory]
    [MemberData(nameof(Patterns))]
    public void A_text_that_is_changed_by_one_character_is_accepted_if_and_only_if_it_matches(string pattern)
    {
        var (automaton, judge, random) = (Writing.Automaton(Grammar.OfRegex(pattern)), Judge(pattern), new Random(2));
        for (var i = 0; i < 200; i++)
        {
            var text = automaton.RandomText(random);
            var place = random.Next(text.Length + 1);
            var changed = random.Next(3) switch
            {
                0 => text.Insert(place, ((char)random.Next(' ', 127)).ToString()),
                1 => text.Remove(place),
                _ => text[..place] + (char)random.Next(' ', 127) + text[Math.Min(text.Length, place + 1)..],
            };
            Assert.True(automaton.Accepts(changed) == judge.IsMatch(changed), $"'{changed}' and {pattern}");
        }
    }

    [Theory]
    [InlineData(@"\D", "x", true)]
    [InlineData(@"\D", "٣", false)]
    [InlineData(@"\W", "é", false)]
    [InlineData(@"\S", "\u00a0", false)]
    [InlineData(@"[^\W]", "é", false)]
    [InlineData(@"[^\W]", "e", true)]
    [InlineData(@"[^\d]", "٣", false)]
    [InlineData(".", "\n", false)]
    [InlineData("[^a]", "😀", true)]
    [InlineData(@"\u{1F600}|a", "😀", true)]
    [InlineData(@"\uD83D\uDE01", "😁", true)]
    [InlineData(@"[\d-]+", "1-2", true)]
    [InlineData("a{,3}", "a{,3}", true)]
    [InlineData("{x}", "{x}", true)]
    [InlineData(@"\p{L}\P{L}", "é1", true)]
    public void Where_languages_differ_it_means_what_all_accept(string pattern, string text, bool isAccepted) =>
        Assert.Equal(isAccepted, Writing.Automaton(Grammar.OfRegex(pattern)).Accepts(text));

    [Theory]
    [InlineData("(a", "without its ')'")]
    [InlineData("a)", "without its '('")]
    [InlineData("[a", "without its ']'")]
    [InlineData("*a", "nothing to repeat")]
    [InlineData("a**", "quantifier")]
    [InlineData("a{3,2}", "less than")]
    [InlineData("a{20000}", "up to 10000")]
    [InlineData(@"(a)\1", "references")]
    [InlineData("(?=a)b", "lookaround")]
    [InlineData("(?i)a", "lookaround, flags")]
    [InlineData(@"\bword\b", "not supported")]
    [InlineData("a^b", "beginning")]
    [InlineData("(a$)b", "end")]
    [InlineData("[z-a]", "range")]
    [InlineData(@"\p{Greek}", "category")]
    [InlineData("[[:alpha:]]", "named classes")]
    [InlineData(@"a\", "nothing behind")]
    [InlineData("[a-z-[aeiou]]", "taking away")]
    [InlineData("", "empty")]
    public void What_is_not_understood_is_refused_and_says_why(string pattern, string why)
    {
        var refused = Assert.Throws<GrammarException>(Grammar.OfRegex(pattern).Check);
        Assert.Equal("invalid_regex", refused.Code);
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_would_be_too_large_is_refused() => Assert.Contains(
        "states", Assert.Throws<GrammarException>(Grammar.OfRegex(string.Concat(Enumerable.Repeat("a{9000}b?", 25))).Check).Message, StringComparison.Ordinal);

    [Fact]
    public void What_can_be_read_in_too_many_ways_is_refused() =>
        Assert.Contains("ways at once", Assert.Throws<GrammarException>(Grammar.OfRegex("([a-z]?){5000}").Check).Message, StringComparison.Ordinal);

    [Fact]
    public void Repetitions_of_repetitions_cost_no_more_than_they_are_written() =>
        Assert.True(Writing.Automaton(Grammar.OfRegex("((a{100}b){100}c){2}")).Accepts(string.Concat(Enumerable.Repeat(string.Concat(Enumerable.Repeat(new string('a', 100) + "b", 100)) + "c", 2))));

    [Fact]
    public void Every_character_is_written_as_its_own_bytes()
    {
        var automaton = Writing.Automaton(Grammar.OfRegex("[^b-y]"));
        for (var value = 0; value <= 0x10FFFF; value += value < 0x3000 ? 1 : 97)
        {
            if (System.Text.Rune.TryCreate(value, out var rune))
            {
                Assert.True(automaton.Accepts(rune.ToString()) == value is not (>= 'b' and <= 'y'), $"U+{value:X}");
            }
        }
    }

    [Fact]
    public void What_was_worked_out_is_forgotten_when_it_becomes_too_much_and_nothing_changes()
    {
        var (small, large) = (Writing.Automaton(Grammar.OfRegex("(ab|cd){1,60}[a-d]{5}"), mostStates: 8), Writing.Automaton(Grammar.OfRegex("(ab|cd){1,60}[a-d]{5}")));
        var random = new Random(3);
        for (var i = 0; i < 50; i++)
        {
            var text = large.RandomText(random);
            Assert.True(small.Accepts(text));
            Assert.False(small.Accepts(text + "e"));
            Assert.InRange(small.StateCount, 1, 8);
        }
    }

    private static Regex Judge(string pattern) => new($@"\A(?:{pattern})\z", RegexOptions.CultureInvariant);
}
