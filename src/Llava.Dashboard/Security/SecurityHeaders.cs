using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.Security;

/// <summary>Headers on every response: nothing is loaded from elsewhere, framed elsewhere, read from elsewhere or sniffed.</summary>
internal static class SecurityHeaders
{
    private const string Pages = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

    // Hangfire's own pages set inline styles and a data: icon; its scripts are clean.
    private const string Hangfire = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

    public static void UseSecurityHeaders(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments("/hangfire", StringComparison.Ordinal) ? Hangfire : Pages;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
        // As antiforgery would have it, which otherwise warns at every form.
        headers.CacheControl = "no-cache, no-store";
        headers.Pragma = "no-cache";
        if (context.Request.IsHttps)
        {
            headers.StrictTransportSecurity = "max-age=31536000";
        }

        return next(context);
    });
}
