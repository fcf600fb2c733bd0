using System.Text;

namespace Llava.Scheduler.Sources;

/// <summary>Text of records, which must be UTF-8.</summary>
internal static class RecordText
{
    private const char Replacement = '\uFFFD';
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The bytes as text.</summary>
    /// <exception cref="FormatException">They are no UTF-8.</exception>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException broken)
        {
            throw new FormatException("it is no UTF-8 text.", broken);
        }
    }

    /// <summary>The value a library has decoded, unless it had to put the sign for bytes that are no UTF-8.</summary>
    public static string Require(string name, string value) => value.Contains(Replacement, StringComparison.Ordinal)
        ? throw new FormatException($"its '{name}' is no UTF-8 text.")
        : value;
}
