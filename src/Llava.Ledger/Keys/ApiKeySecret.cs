using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Llava.Ledger.Keys;

/// <summary>
/// The form of secrets: <c>llava_{id}_{32 random bytes in base64url}</c>. Because the bytes are random, one SHA-256 keeps them as safe as a
/// slow hash keeps a password.
/// </summary>
internal static partial class ApiKeySecret
{
    private const string Start = "llava_";
    private const string IdLetters = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int IdLength = 10;
    private const int RandomBytes = 32;

    public static (string Id, string Secret) Draw()
    {
        var id = RandomNumberGenerator.GetString(IdLetters, IdLength);
        return (id, $"{PrefixOf(id)}_{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes))}");
    }

    public static string PrefixOf(string id) => Start + id;

    /// <summary>The id inside a text of this form; null for any other text.</summary>
    public static string? IdOf(string secret) => Form().Match(secret) is { Success: true } form ? form.Groups["id"].Value : null;

    public static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    [GeneratedRegex("^llava_(?<id>[0-9a-z]{10})_[0-9A-Za-z_-]{43}$", RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}
