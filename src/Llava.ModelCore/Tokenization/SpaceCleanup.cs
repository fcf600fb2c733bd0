using System.Text;

namespace Llava.ModelCore.Tokenization;

/// <summary>
/// transformers' <c>clean_up_tokenization</c> on text that arrives in parts: the space before punctuation and English contractions
/// goes away. Only text in front of a character that no pattern contains is handed over, so a replacement is never cut in two.
/// </summary>
internal sealed class SpaceCleanup(TokenDecoder inner) : TokenDecoder
{
    private const string PatternCharacters = " .?!,'ntmsvre";
    private readonly StringBuilder _pending = new();

    public static string Apply(string text) => text
        .Replace(" .", ".", StringComparison.Ordinal).Replace(" ?", "?", StringComparison.Ordinal)
        .Replace(" !", "!", StringComparison.Ordinal).Replace(" ,", ",", StringComparison.Ordinal)
        .Replace(" ' ", "'", StringComparison.Ordinal).Replace(" n't", "n't", StringComparison.Ordinal)
        .Replace(" 'm", "'m", StringComparison.Ordinal).Replace(" 's", "'s", StringComparison.Ordinal)
        .Replace(" 've", "'ve", StringComparison.Ordinal).Replace(" 're", "'re", StringComparison.Ordinal);

    public override void Append(int id, StringBuilder output)
    {
        inner.Append(id, _pending);
        var settled = _pending.Length;
        while (settled > 0 && PatternCharacters.Contains(_pending[settled - 1], StringComparison.Ordinal))
        {
            settled--;
        }

        Release(settled, output);
    }

    public override void Complete(StringBuilder output)
    {
        inner.Complete(_pending);
        Release(_pending.Length, output);
    }

    private void Release(int length, StringBuilder output)
    {
        output.Append(Apply(_pending.ToString(0, length)));
        _pending.Remove(0, length);
    }
}
