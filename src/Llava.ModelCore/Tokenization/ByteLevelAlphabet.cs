namespace Llava.ModelCore.Tokenization;

/// <summary>GPT-2's printable character for every byte: itself where it is visible, else the next free one from U+0100 on.</summary>
internal static class ByteLevelAlphabet
{
    private static readonly Dictionary<char, byte> Bytes = Build();

    /// <summary>The bytes that a token's characters stand for.</summary>
    public static byte[]? BytesOf(string token)
    {
        var bytes = new byte[token.Length];
        for (var index = 0; index < token.Length; index++)
        {
            if (!Bytes.TryGetValue(token[index], out bytes[index]))
            {
                return null;
            }
        }

        return bytes;
    }

    private static Dictionary<char, byte> Build()
    {
        Dictionary<char, byte> bytes = [];
        var next = '\u0100';
        for (var value = 0; value < 256; value++)
        {
            var isVisible = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE;
            bytes[isVisible ? (char)value : next++] = (byte)value;
        }

        return bytes;
    }
}
