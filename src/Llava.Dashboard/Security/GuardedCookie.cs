using System.Net;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.Security;

/// <summary>
/// A cookie that scripts do not see, other sites' requests do not carry and, but for a browser on this very machine, only https transports.
/// </summary>
internal sealed class GuardedCookie : CookieBuilder
{
    public GuardedCookie(string name)
    {
        Name = name;
        Path = "/";
        HttpOnly = true;
        SameSite = SameSiteMode.Strict;
        IsEssential = true;
    }

    /// <inheritdoc/>
    public override CookieOptions Build(HttpContext context, DateTimeOffset expiresFrom)
    {
        var options = base.Build(context, expiresFrom);
        // Whatever stands between browser and server: a browser that calls it by another name must have come by https to keep the cookie.
        options.Secure = context.Request.IsHttps || !IsThisMachine(context.Request.Host.Host);
        return options;
    }

    private static bool IsThisMachine(string host) => host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
