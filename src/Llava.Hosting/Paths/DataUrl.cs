namespace Llava.Hosting.Paths;

/// <summary>An image inside a URL: <c>data:image/png;base64,…</c>. The media type is not believed; images are known by their first bytes.</summary>
public static class DataUrl
{
    /// <summary>Whether the text is such a URL.</summary>
    public static bool IsDataUrl(string url) => url.StartsWith("data:", StringComparison.OrdinalIgnoreCase);

    /// <summary>The bytes inside; blanks and the alphabet for file names are tolerated.</summary>
    /// <exception cref="FormatException">It holds no base64.</exception>
    public static byte[] Decode(string url)
    {
        var comma = url.IndexOf(',', StringComparison.Ordinal);
        if (comma < 0 || !url.AsSpan(0, comma).EndsWith(";base64", StringComparison.OrdinalIgnoreCase))
        {
            throw new FormatException("a data: URL must say ';base64,' before its data.");
        }

        var data = url[(comma + 1)..].Replace('-', '+').Replace('_', '/');
        // Blanks do not count towards the four letters of a group.
        var letters = data.Count(letter => !char.IsWhiteSpace(letter));
        try
        {
            return Convert.FromBase64String(data.PadRight(data.Length + ((4 - (letters % 4)) % 4), '='));
        }
        catch (FormatException broken)
        {
            throw new FormatException($"the data of a data: URL is no base64: {broken.Message}", broken);
        }
    }
}
