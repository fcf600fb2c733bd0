using System.Text;

namespace Llava.ModelCore.Grammars.Automata;

/// <summary>Writes ranges of characters as sequences of byte ranges, as Thompson's grep did for UTF-8.</summary>
internal static class Utf8Ranges
{
    // Where a character gets another byte.
    private static readonly (int First, int Last)[] Lengths = [(0, 0x7F), (0x80, 0x7FF), (0x800, 0xFFFF), (0x10000, 0x10FFFF)];

    /// <summary>Sequences that together read exactly the characters from first to last, none of which is a surrogate.</summary>
    public static IEnumerable<(byte First, byte Last)[]> Of(int first, int last) => Lengths
        .Where(length => length.First <= last && first <= length.Last)
        .SelectMany(length => Split(Math.Max(first, length.First), Math.Min(last, length.Last)));

    /// <summary>Both ends have the same number of bytes. A range is split until its bytes can be chosen without regard to each other.</summary>
    private static IEnumerable<(byte First, byte Last)[]> Split(int first, int last)
    {
        for (var bits = 6; bits <= 18 && first > 0x7F; bits += 6)
        {
            var low = (1 << bits) - 1;
            if ((first & ~low) == (last & ~low))
            {
                break;
            }

            if ((first & low) != 0)
            {
                return Split(first, first | low).Concat(Split((first | low) + 1, last));
            }

            if ((last & low) != low)
            {
                return Split(first, (last & ~low) - 1).Concat(Split(last & ~low, last));
            }
        }

        return [Pair(first, last)];
    }

    private static (byte, byte)[] Pair(int first, int last)
    {
        Span<byte> from = stackalloc byte[4];
        Span<byte> to = stackalloc byte[4];
        var length = new Rune(first).EncodeToUtf8(from);
        new Rune(last).EncodeToUtf8(to);
        var pairs = new (byte, byte)[length];
        for (var i = 0; i < length; i++)
        {
            pairs[i] = (from[i], to[i]);
        }

        return pairs;
    }
}
