using System.Text;
using System.Text.RegularExpressions;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>
/// Learns a SentencePiece BPE vocabulary in LLaMA's conventions (Sennrich et al. 2016; Kudo and Richardson 2018): merges
/// stay within a word, digits and punctuation stand alone, a space is the mark ▁ at the front of the word it precedes.
/// </summary>
internal static partial class BytePairTrainer
{
    /// <summary>SentencePiece's mark for a space.</summary>
    public const char Space = '▁';

    /// <summary>Characters every vocabulary has, whether or not the texts do; others are spelled in bytes.</summary>
    private static readonly string Alphabet = Space + string.Concat(Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c));

    /// <summary>The pieces after the special ones, best first.</summary>
    /// <param name="texts">Texts in the product's own form; line breaks separate.</param>
    /// <param name="count">Pieces wanted, characters included. Fewer come back when every word is one piece before that.</param>
    public static IReadOnlyList<string> Learn(IEnumerable<string> texts, int count)
    {
        var words = CountWords(texts);
        var merges = new List<string>();
        while (merges.Count + Alphabet.Length < count && BestPair(words) is { } pair)
        {
            merges.Add(pair.Left + pair.Right);
            foreach (var (pieces, _) in words)
            {
                Merge(pieces, pair);
            }
        }

        return [.. merges, .. Alphabet.Select(c => c.ToString())];
    }

    /// <summary>A space before a word belongs to it; runs of letters merge, everything else stands alone.</summary>
    [GeneratedRegex(@"▁?[A-Za-z]+")]
    private static partial Regex Word();

    private static List<(List<string> Pieces, int Count)> CountWords(IEnumerable<string> texts) => [.. texts
        .SelectMany(text => text.Split('\n'))
        .SelectMany(line => Word().Matches(line.Replace(' ', Space)))
        .GroupBy(match => match.Value)
        .OrderBy(group => group.Key, StringComparer.Ordinal)
        .Select(group => (group.Key.Select(c => c.ToString()).ToList(), group.Count()))];

    private static (string Left, string Right)? BestPair(List<(List<string> Pieces, int Count)> words)
    {
        var counts = new Dictionary<(string Left, string Right), int>();
        foreach (var (pieces, count) in words)
        {
            for (var i = 1; i < pieces.Count; i++)
            {
                var pair = (pieces[i - 1], pieces[i]);
                counts[pair] = counts.GetValueOrDefault(pair) + count;
            }
        }

        // Ties go by the alphabet, so that the same texts always give the same vocabulary.
        return counts.Count == 0 ? null : counts
            .OrderByDescending(c => c.Value)
            .ThenBy(c => c.Key.Left, StringComparer.Ordinal)
            .ThenBy(c => c.Key.Right, StringComparer.Ordinal)
            .First().Key;
    }

    private static void Merge(List<string> pieces, (string Left, string Right) pair)
    {
        for (var i = pieces.Count - 1; i > 0; i--)
        {
            if (pieces[i] == pair.Right && pieces[i - 1] == pair.Left)
            {
                pieces[i - 1] += pieces[i];
                pieces.RemoveAt(i);
            }
        }
    }
}
