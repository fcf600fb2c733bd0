namespace Llava.ModelCore.Tokenization;

/// <summary>Texts that end an answer wherever they appear in it.</summary>
public sealed class StopStrings
{
    private readonly string[] _texts;

    /// <summary>Empty texts are left out.</summary>
    public StopStrings(IEnumerable<string> texts) => _texts = [.. texts.Where(text => text.Length > 0).Distinct(StringComparer.Ordinal)];

    /// <summary>No stop strings.</summary>
    public static StopStrings None { get; } = new([]);

    /// <summary>The texts.</summary>
    public IReadOnlyList<string> Texts => _texts;

    /// <summary>Characters of the longest one: a window of this many characters plus the newest text is enough to find a new match.</summary>
    public int MaxLength => _texts.Select(text => text.Length).DefaultIfEmpty().Max();

    /// <summary>Where the first stop string starts in the text; −1 if there is none.</summary>
    public int Find(ReadOnlySpan<char> text)
    {
        var first = -1;
        foreach (var stop in _texts)
        {
            var index = text.IndexOf(stop, StringComparison.Ordinal);
            first = first < 0 || (index >= 0 && index < first) ? index : first;
        }

        return first;
    }

    /// <summary>How many characters at the end of the text may be the start of a stop string.</summary>
    public int HeldBack(ReadOnlySpan<char> text)
    {
        for (var length = Math.Min(text.Length, MaxLength - 1); length > 0; length--)
        {
            var tail = text[^length..];
            foreach (var stop in _texts)
            {
                if (stop.AsSpan().StartsWith(tail, StringComparison.Ordinal))
                {
                    return length;
                }
            }
        }

        return 0;
    }
}
