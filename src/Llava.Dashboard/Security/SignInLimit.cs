using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.Security;

/// <summary>How often a machine may show a key or a link to the login. Only showing counts, not looking at the page.</summary>
internal static class SignInLimit
{
    /// <summary>Name of the rate limit.</summary>
    public const string Name = "sign-in";

    public static RateLimitPartition<string> Of(HttpContext context)
    {
        if (!HttpMethods.IsPost(context.Request.Method) && !context.Request.Query.ContainsKey("token"))
        {
            return RateLimitPartition.GetNoLimiter("");
        }

        var attempts = context.RequestServices.GetRequiredService<IOptions<SignInOptions>>().Value.AttemptsPerMinute;
        return RateLimitPartition.GetFixedWindowLimiter(
            context.Connection.RemoteIpAddress?.ToString() ?? "", _ => new() { PermitLimit = attempts, Window = TimeSpan.FromMinutes(1) });
    }
}
