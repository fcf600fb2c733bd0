namespace Llava.ModelCore.Tokenization;

/// <summary>Cuts text at added tokens: the leftmost first, and of those that start there the longest.</summary>
internal sealed class AddedTokenSplitter
{
    private readonly Dictionary<char, AddedToken[]> _byFirstCharacter;

    public AddedTokenSplitter(IEnumerable<AddedToken> tokens) => _byFirstCharacter = tokens
        .Where(token => token.Content.Length > 0)
        .GroupBy(token => token.Content[0])
        .ToDictionary(group => group.Key, group => group.OrderByDescending(token => token.Content.Length).ToArray());

    /// <summary>The parts in order: either text or a token. White space that a token strips and text that becomes empty are gone.</summary>
    public List<(string? Text, AddedToken? Token)> Split(string text)
    {
        List<(string?, AddedToken?)> parts = [];
        var start = 0;
        AddedToken? left = null;
        for (var position = 0; position < text.Length;)
        {
            if (TokenAt(text, position) is not { } token)
            {
                position++;
                continue;
            }

            AddText(parts, text.AsSpan(start, position - start), left, token);
            parts.Add((null, token));
            left = token;
            start = position += token.Content.Length;
        }

        AddText(parts, text.AsSpan(start), left, right: null);
        return parts;
    }

    private AddedToken? TokenAt(string text, int position)
    {
        if (_byFirstCharacter.TryGetValue(text[position], out var candidates))
        {
            foreach (var token in candidates)
            {
                if (string.CompareOrdinal(text, position, token.Content, 0, token.Content.Length) == 0)
                {
                    return token;
                }
            }
        }

        return null;
    }

    private static void AddText(List<(string?, AddedToken?)> parts, ReadOnlySpan<char> text, AddedToken? left, AddedToken? right)
    {
        while (left is { StripsRight: true } && text.Length > 0 && IsSpace(text[0]))
        {
            text = text[1..];
        }

        while (right is { StripsLeft: true } && text.Length > 0 && IsSpace(text[^1]))
        {
            text = text[..^1];
        }

        if (text.Length > 0)
        {
            parts.Add((text.ToString(), null));
        }
    }

    // Python's str.strip also takes the four separators of ASCII.
    private static bool IsSpace(char character) => char.IsWhiteSpace(character) || character is >= '\x1c' and <= '\x1f';
}
