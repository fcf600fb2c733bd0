using System.Globalization;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace Llava.ModelCore.Tokenization;

/// <summary>
/// Splits text into words by GPT-2's pattern <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// Written by hand because .NET's pattern classes look at UTF-16 halves and so never see a letter beyond U+FFFF.
/// </summary>
internal sealed class Gpt2Words : PreTokenizer
{
    private static readonly string[] Contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

    private enum Kind
    {
        Space,
        Letter,
        Number,
        Other,
    }

    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());

    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var length = WordLength(text.AsSpan(start));
            yield return (start, length);
            start += length;
        }
    }

    private static int WordLength(ReadOnlySpan<char> text)
    {
        foreach (var contraction in Contractions)
        {
            if (text.StartsWith(contraction, StringComparison.Ordinal))
            {
                return contraction.Length;
            }
        }

        var leading = text[0] == ' ' ? 1 : 0;
        if (leading < text.Length && KindAt(text[leading..], out _) is var kind and not Kind.Space)
        {
            return leading + RunLength(text[leading..], kind);
        }

        var spaces = RunLength(text, Kind.Space);
        return spaces == text.Length || spaces == 1 ? spaces : spaces - 1; // the last one belongs to the word that follows
    }

    private static int RunLength(ReadOnlySpan<char> text, Kind kind)
    {
        var length = 0;
        while (length < text.Length && KindAt(text[length..], out var consumed) == kind)
        {
            length += consumed;
        }

        return length;
    }

    private static Kind KindAt(ReadOnlySpan<char> text, out int consumed)
    {
        Rune.DecodeFromUtf16(text, out var rune, out consumed);
        return Rune.IsWhiteSpace(rune) ? Kind.Space
            : Rune.IsLetter(rune) ? Kind.Letter
            : Rune.GetUnicodeCategory(rune) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber ? Kind.Number
            : Kind.Other;
    }
}
