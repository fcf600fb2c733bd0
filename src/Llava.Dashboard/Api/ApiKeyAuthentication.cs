using System.Security.Claims;
using System.Text.Encodings.Web;
using Llava.Contracts.Documents;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Llava.Dashboard.Api;

/// <summary><c>Authorization: Bearer</c> and a key.</summary>
internal sealed class ApiKeyAuthentication(ApiKeys keys, IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string Name = "ApiKey";

    private const string Bearer = "Bearer ";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return header.Length == 0 ? AuthenticateResult.NoResult() : AuthenticateResult.Fail("The header 'Authorization' must be 'Bearer' and an API key.");
        }

        var verdict = await keys.VerifyAsync(header[Bearer.Length..].Trim(), Context.RequestAborted);
        return verdict switch
        {
            { Standing: KeyStanding.Valid, Key: { } key } => AuthenticateResult.Success(new(new ClaimsPrincipal(new ClaimsIdentity(Caller.Claims(key), Name)), Name)),
            { Standing: KeyStanding.Expired, Key: { } key } => AuthenticateResult.Fail($"The API key '{key.Prefix}…' expired at {key.ExpiresAt:u}; ask for a new one."),
            { Standing: KeyStanding.Revoked, Key: { } key } => AuthenticateResult.Fail($"The API key '{key.Prefix}…' was revoked at {key.RevokedAt:u}; ask for a new one."),
            _ => AuthenticateResult.Fail("The API key is not known here; check that all of it was copied and that it was made for this server."),
        };
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var reason = (await HandleAuthenticateOnceSafeAsync()).Failure?.Message ?? "An API key is needed: send 'Authorization: Bearer <key>'; 'llava keys create' makes one.";
        Response.Headers[HeaderNames.WWWAuthenticate] = "Bearer";
        await ApiErrors.WriteAsync(Context, StatusCodes.Status401Unauthorized, ApiErrors.Refusal("invalid_api_key", reason));
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var role = Caller.Of(Context.User).Role;
        ErrorBody body = new($"A {role?.WireName() ?? "caller without a role"} may not do this; use a key with a higher role.", "permission_denied", "role_insufficient", null);
        return ApiErrors.WriteAsync(Context, StatusCodes.Status403Forbidden, body);
    }
}
