using System.Security.Cryptography;

namespace Llava.Dashboard.Security;

/// <summary>
/// The link that <c>llava up</c> prints: whoever owns the terminal may open the pages, nobody else on the machine.
/// The token signs in once; the cookie it buys lasts as long as the browser keeps it.
/// </summary>
public sealed class OneTimeLink
{
    private readonly byte[] _token = RandomNumberGenerator.GetBytes(32);
    private int _isSpent;

    /// <summary>Path and query of the link.</summary>
    public string Path => $"/login?token={Convert.ToHexStringLower(_token)}";

    /// <summary>Whether the token is right and not yet used; compares in constant time and spends it.</summary>
    public bool TrySpend(string? token)
    {
        var given = new byte[_token.Length];
        return token is not null && token.Length == given.Length * 2
            && Convert.FromHexString(token, given, out _, out _) == System.Buffers.OperationStatus.Done
            && CryptographicOperations.FixedTimeEquals(given, _token)
            && Interlocked.Exchange(ref _isSpent, 1) == 0;
    }
}
