using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Llava.Dashboard;

/// <summary>
/// Style sheets, scripts, icons and the font, from inside the assembly, so that a host needs no web root. Pages name them with the hash
/// of their bytes, so a browser keeps each for good and still sees every change.
/// </summary>
internal static class Assets
{
    private const string Prefix = "assets/";

    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>
    {
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".woff2"] = "font/woff2",
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, Asset> All = typeof(Assets).Assembly.GetManifestResourceNames()
        .Where(resource => resource.StartsWith(Prefix, StringComparison.Ordinal) && Types.ContainsKey(Path.GetExtension(resource)))
        .ToFrozenDictionary(resource => resource[Prefix.Length..], Read);

    /// <summary>Names of all that is served.</summary>
    public static IEnumerable<string> Names => All.Keys;

    /// <summary>Address of an asset, with its hash.</summary>
    public static string Url(string name) => $"/assets/{name}?v={All[name].Hash[..12]}";

    /// <summary>SHA-256 of an asset, in lower-case hexadecimal.</summary>
    public static string Hash(string name) => All[name].Hash;

    public static void MapAssets(this IEndpointRouteBuilder routes) => routes.MapGet("/assets/{name}", (string name, HttpContext context) =>
    {
        if (!All.TryGetValue(name, out var asset))
        {
            return Results.NotFound();
        }

        context.Response.Headers.CacheControl = context.Request.Query.ContainsKey("v") ? "public, max-age=31536000, immutable" : "no-cache";
        return Results.Bytes(asset.Bytes, asset.Type, entityTag: new EntityTagHeaderValue($"\"{asset.Hash}\""));
    }).AllowAnonymous();

    private static Asset Read(string resource)
    {
        using var stream = typeof(Assets).Assembly.GetManifestResourceStream(resource)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return new(bytes, Types[Path.GetExtension(resource)], Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    private sealed record Asset(byte[] Bytes, string Type, string Hash);
}
