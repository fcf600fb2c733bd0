using System.Globalization;
using System.Text;

namespace Llava.ModelCore.Grammars;

/// <summary>
/// Reads the regular part of what .NET and ECMAScript call regular expressions. Where the two differ, it means what both accept: <c>\d</c> is 0 to 9, and <c>\D</c> is
/// what is a digit in no script.
/// </summary>
internal sealed class RegexParser
{
    private const int MostRepetitions = 10_000;
    private const int DeepestGroup = 200;
    private readonly string _pattern;
    private int _position;
    private int _depth;

    private RegexParser(string pattern) => _pattern = pattern;

    /// <summary>What the pattern matches as a whole; <c>^</c> and <c>$</c> around it say nothing new.</summary>
    /// <exception cref="GrammarException">The pattern cannot be understood.</exception>
    public static Expression ParseWhole(string pattern) => new RegexParser(pattern).ParseAll(Expression.Nothing);

    /// <summary>Texts in which the pattern matches somewhere, as a schema's <c>pattern</c> means it.</summary>
    /// <exception cref="GrammarException">The pattern cannot be understood.</exception>
    public static Expression ParseAnywhere(string pattern) => new RegexParser(pattern).ParseAll(Expression.Many(Expression.Any(RuneSet.All)));

    private bool IsAtEnd => _position == _pattern.Length;

    private char Next => _pattern[_position];

    private Expression ParseAll(Expression around)
    {
        List<Expression> options = [];
        do
        {
            var before = Take('^') ? Expression.Nothing : around;
            var body = ParseSequence();
            var after = Take('$') ? Expression.Nothing : around;
            options.Add(Expression.Sequence(before, body, after));
        }
        while (Take('|'));
        return IsAtEnd ? Expression.Choice(options) : throw Wrong(Next == ')' ? "there is a ')' without its '('" : $"'{Next}' stands where it cannot be used");
    }

    private Expression ParseChoice()
    {
        List<Expression> options = [];
        do
        {
            options.Add(ParseSequence());
        }
        while (Take('|'));
        return Expression.Choice(options);
    }

    private Expression ParseSequence()
    {
        List<Expression> parts = [];
        while (!IsAtEnd && Next is not ('|' or ')' or '$'))
        {
            parts.Add(ParseRepetition(ParseItem()));
        }

        return Expression.Sequence(parts);
    }

    private Expression ParseRepetition(Expression item)
    {
        var (least, most) = (1, (int?)1);
        if (Take('*'))
        {
            (least, most) = (0, null);
        }
        else if (Take('+'))
        {
            most = null;
        }
        else if (Take('?'))
        {
            least = 0;
        }
        else if (ReadCount() is { } count)
        {
            (least, most) = count;
        }
        else
        {
            return item;
        }

        // Lazy or not, the same texts match.
        Take('?');
        return IsAtEnd || Next is not ('*' or '+' or '?') ? Expression.Many(item, least, most) : throw Wrong("a quantifier stands on a quantifier");
    }

    /// <summary>{n}, {n,} or {n,m}; null and nothing read where the brace is none of these and means itself.</summary>
    private (int Least, int? Most)? ReadCount()
    {
        var end = IsAtEnd || Next != '{' ? -1 : _pattern.IndexOf('}', _position);
        if (end < 0 || _pattern[(_position + 1)..end].Split(',') is not ({ Length: 1 } or { Length: 2 }) || !char.IsAsciiDigit(_pattern[_position + 1]))
        {
            return null;
        }

        var parts = _pattern[(_position + 1)..end].Split(',');
        var least = Number(parts[0]);
        var most = parts.Length == 1 ? least : parts[1].Length == 0 ? (int?)null : Number(parts[1]);
        if (most < least)
        {
            throw Wrong($"{{{least},{most}}} asks for less than it asks for");
        }

        _position = end + 1;
        return (least, most);
    }

    private int Number(string digits) => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= MostRepetitions
        ? number
        : throw Wrong($"'{digits}' is no number of repetitions up to {MostRepetitions}");

    private Expression ParseItem()
    {
        switch (Next)
        {
            case '(':
                return ParseGroup();
            case '[':
                _position++;
                return Expression.Any(new CharacterClassParser(this).ParseClass());
            case '.':
                _position++;
                return Expression.Any(CharacterClasses.Dot);
            case '\\':
                return ParseEscape();
            case '*' or '+' or '?':
                throw Wrong($"'{Next}' has nothing to repeat");
            case '^':
                throw Wrong("'^' stands inside; it is understood only at the beginning");
            default:
                return Expression.Any(RuneSet.Of(ReadRune()));
        }
    }

    private Expression ParseGroup()
    {
        var start = _position++;
        if (++_depth > DeepestGroup)
        {
            throw Wrong($"groups are nested more than {DeepestGroup} deep");
        }

        if (Take('?') && !Take(':') && !TakeName())
        {
            throw Wrong("lookaround, flags and conditions are not supported");
        }

        var body = ParseChoice();
        if (!Take(')'))
        {
            throw IsAtEnd ? GrammarException.Regex(_pattern, start, "there is a '(' without its ')'") : Wrong("'$' stands inside; it is understood only at the end");
        }

        _depth--;
        return body;
    }

    /// <summary>(?&lt;name&gt; and (?P&lt;name&gt;: the name says nothing about the text.</summary>
    private bool TakeName()
    {
        var start = _position + (!IsAtEnd && Next == 'P' ? 1 : 0);
        var end = start + 1 < _pattern.Length && _pattern[start] == '<' && char.IsAsciiLetter(_pattern[start + 1]) ? _pattern.IndexOf('>', start) : -1;
        _position = end < 0 ? _position : end + 1;
        return end >= 0;
    }

    private Expression ParseEscape()
    {
        if (_position + 1 < _pattern.Length && _pattern[_position + 1] is >= '1' and <= '9' or 'k')
        {
            throw Wrong("references to groups are not supported");
        }

        return _position + 1 < _pattern.Length && _pattern[_position + 1] is 'b' or 'B' or 'A' or 'Z' or 'z' or 'G'
            ? throw Wrong($"'\\{_pattern[_position + 1]}' is not supported")
            : Expression.Any(ReadEscape());
    }

    /// <summary>The characters that an escape stands for.</summary>
    /// <param name="isTakenAway">Whether it stands in a class of what is left.</param>
    internal RuneSet ReadEscape(bool isTakenAway = false)
    {
        _position++;
        if (IsAtEnd)
        {
            throw Wrong("there is a '\\' with nothing behind it");
        }

        var letter = ReadRune();
        return letter.Value switch
        {
            'n' => RuneSet.OfText("\n"),
            'r' => RuneSet.OfText("\r"),
            't' => RuneSet.OfText("\t"),
            'f' => RuneSet.OfText("\f"),
            'v' => RuneSet.OfText("\v"),
            '0' => RuneSet.OfText("\0"),
            'x' => RuneSet.Of(ReadHex(2)),
            'u' => RuneSet.Of(Take('{') ? ReadBraced() : ReadHex(4)),
            'p' => CharacterClasses.Category(ReadCategory()) ?? throw Wrong("there is no such category of characters"),
            'P' => CharacterClasses.Category(ReadCategory())?.Complement() ?? throw Wrong("there is no such category of characters"),
            _ when CharacterClasses.Shorthand(letter.Value, isTakenAway) is { } set => set,
            _ when Rune.IsLetterOrDigit(letter) => throw Wrong($"'\\{letter}' is not supported"),
            _ => RuneSet.Of(letter),
        };
    }

    /// <summary>The next character, as it stands.</summary>
    internal Rune ReadRune()
    {
        if (!Rune.TryGetRuneAt(_pattern, _position, out var rune))
        {
            throw Wrong("there is half a character");
        }

        _position += rune.Utf16SequenceLength;
        return rune;
    }

    /// <summary>Reads the character if it comes next.</summary>
    internal bool Take(char character)
    {
        if (IsAtEnd || Next != character)
        {
            return false;
        }

        _position++;
        return true;
    }

    /// <summary>The next character without reading it; null at the end.</summary>
    internal char? Peek(int ahead = 0) => _position + ahead < _pattern.Length ? _pattern[_position + ahead] : null;

    internal GrammarException Wrong(string what) => GrammarException.Regex(_pattern, Math.Min(_position, Math.Max(0, _pattern.Length - 1)), what);

    private Rune ReadHex(int digits)
    {
        var text = _pattern[_position..Math.Min(_pattern.Length, _position + digits)];
        if (text.Length < digits || !int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            throw Wrong($"{digits} hexadecimal digits are missing");
        }

        _position += digits;
        // Two of them, one after the other, are how ECMAScript writes one character beyond U+FFFF.
        if (char.IsHighSurrogate((char)value) && Take('\\') && Take('u'))
        {
            var low = ReadHexUnit();
            return Rune.TryCreate((char)value, low, out var pair) ? pair : throw Wrong("the two halves of a character do not fit together");
        }

        return Rune.TryCreate(value, out var rune) ? rune : throw Wrong("half a character is none");
    }

    private char ReadHexUnit()
    {
        var text = _pattern[_position..Math.Min(_pattern.Length, _position + 4)];
        _position += text.Length;
        return ushort.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? (char)value : throw Wrong("4 hexadecimal digits are missing");
    }

    private Rune ReadBraced()
    {
        var end = _pattern.IndexOf('}', _position);
        var text = end < 0 ? "" : _pattern[_position..end];
        _position = end < 0 ? _position : end + 1;
        return int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) && Rune.TryCreate(value, out var rune)
            ? rune
            : throw Wrong("there is no such character");
    }

    private string ReadCategory()
    {
        var end = Take('{') ? _pattern.IndexOf('}', _position) : -1;
        var name = end < 0 ? throw Wrong("the name of a category in braces is missing") : _pattern[_position..end];
        _position = end + 1;
        return name;
    }
}
