using System.Text;

namespace Llava.ModelCore.Grammars;

/// <summary>Reads what stands between square brackets.</summary>
internal sealed class CharacterClassParser(RegexParser source)
{
    /// <summary>The set; the opening bracket is read already.</summary>
    public RuneSet ParseClass()
    {
        var isNegated = source.Take('^');
        var set = RuneSet.Of();
        for (var isFirst = true; isFirst || source.Peek() is not ']'; isFirst = false)
        {
            if (source.Peek() is null)
            {
                throw source.Wrong("there is a '[' without its ']'");
            }

            // .NET takes classes away from classes, ECMAScript nests them: neither means itself.
            if (source.Peek() is '[' && source.Peek(1) is ':' or '.' or '=')
            {
                throw source.Wrong("named classes such as [:alpha:] are not supported");
            }

            if (isFirst && source.Peek() is ']')
            {
                throw source.Wrong("the class is empty; write \\] for a bracket");
            }

            set = set.Union(ParseRange(isNegated));
        }

        source.Take(']');
        return isNegated ? set.Complement() : set;
    }

    private RuneSet ParseRange(bool isNegated)
    {
        var first = ParseAtom(isNegated);
        if (source.Peek() is not '-' || source.Peek(1) is ']' or null)
        {
            return first;
        }

        source.Take('-');
        var last = ParseAtom(isNegated);
        return Only(first) is { } from && Only(last) is { } to && from <= to
            ? RuneSet.Of((from.Value, to.Value))
            : throw source.Wrong("a range does not go from one character to a later one");
    }

    private RuneSet ParseAtom(bool isNegated)
    {
        if (source.Peek() is not '\\')
        {
            return source.Peek() is '-' && source.Peek(1) is '[' ? throw source.Wrong("taking away a class is not supported") : RuneSet.Of(source.ReadRune());
        }

        if (source.Peek(1) is 'b')
        {
            source.Take('\\');
            source.Take('b');
            return RuneSet.OfText("\b");
        }

        return source.ReadEscape(isNegated);
    }

    private static Rune? Only(RuneSet set) => set.Ranges is [var (first, last)] && first == last ? new Rune(first) : null;
}
