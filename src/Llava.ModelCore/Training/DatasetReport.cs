using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Llava.ModelCore.Training;

/// <summary>What a data set is like, before anything is learned from it.</summary>
/// <param name="Samples">Samples that can be used.</param>
/// <param name="WithImage">How many of them show an image.</param>
/// <param name="Positions">Text and image positions of one pass over them.</param>
/// <param name="Findings">What is wrong with the others.</param>
/// <param name="Lengths">How many samples have how many positions, by powers of two.</param>
/// <param name="Longest">Positions of the longest samples, longest first; at most 256 of them.</param>
/// <param name="Cut">Samples that lose their end to the longest length allowed.</param>
/// <param name="Duplicates">Samples that say the same of the same image as an earlier one.</param>
/// <param name="Leaked">Samples that are also in the data to measure with.</param>
public sealed record DatasetReport(
    int Samples,
    int WithImage,
    long Positions,
    IReadOnlyList<SampleFinding> Findings,
    IReadOnlyList<LengthClass> Lengths,
    IReadOnlyList<int> Longest,
    IReadOnlyList<int> Cut,
    IReadOnlyList<int> Duplicates,
    IReadOnlyList<int> Leaked)
{
    private const int KeptLongest = 256;

    /// <summary>What is usable but not as one would wish, one sentence each; none where all is well.</summary>
    /// <param name="lineOf">Line of the file that a sample begins on.</param>
    /// <param name="shown">Lines that are named of each kind.</param>
    public IEnumerable<string> Warnings(Func<int, int> lineOf, int shown) => ((IEnumerable<(IReadOnlyList<int> Which, string What)>)
    [
        (Leaked, "also in the validation data, so that its loss says less"),
        (Duplicates, "the same as an earlier one"),
        (Cut, "cut at the longest length allowed"),
    ]).Where(one => one.Which.Count > 0).Select(one => string.Create(
        CultureInfo.InvariantCulture, $"{one.Which.Count} of {Samples} samples are {one.What} (lines {string.Join(", ", one.Which.Take(shown).Select(lineOf))}{(one.Which.Count > shown ? ", …" : "")})"));

    /// <summary>Looks at samples that were checked.</summary>
    /// <param name="data">The data set.</param>
    /// <param name="findings">What is wrong with some of them.</param>
    /// <param name="sizes">Sizes of the others, by index.</param>
    /// <param name="measured">Data that is measured with; null for none.</param>
    internal static DatasetReport Of(InstructionDataset data, IReadOnlyList<SampleFinding> findings, IReadOnlyDictionary<int, SampleSize> sizes, InstructionDataset? measured)
    {
        var (seen, used) = (new HashSet<string>(StringComparer.Ordinal), sizes.Keys.Order().ToList());
        var others = measured?.Samples.Values.Select(Identity).ToHashSet(StringComparer.Ordinal) ?? [];
        var identities = used.ToDictionary(index => index, index => Identity(data.Samples[index]));
        return new(
            used.Count,
            used.Count(index => data.Samples[index].Image is not null),
            sizes.Values.Sum(size => (long)size.Positions),
            findings,
            [.. sizes.Values.CountBy(size => (int)uint.LeadingZeroCount((uint)size.Positions)).OrderByDescending(count => count.Key).Select(count => new LengthClass(1 << (31 - count.Key), count.Value))],
            [.. sizes.Values.Select(size => size.Positions).OrderDescending().Take(KeptLongest)],
            [.. used.Where(index => sizes[index].IsCut)],
            [.. used.Where(index => !seen.Add(identities[index]))],
            [.. used.Where(index => others.Contains(identities[index]))]);
    }

    /// <summary>What a sample says of which image; not its id, which copies rarely share.</summary>
    private static string Identity(InstructionSample sample)
    {
        StringBuilder text = new();
        text.Append(sample.Image).Append('\0').Append(sample.System);
        foreach (var turn in sample.Turns)
        {
            text.Append('\0').Append(turn.From).Append('\0').Append(turn.Value.Trim());
        }

        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}

/// <summary>Samples of like length.</summary>
/// <param name="From">Fewest positions; at most one less than twice as many.</param>
/// <param name="Samples">How many.</param>
public sealed record LengthClass(int From, int Samples);
