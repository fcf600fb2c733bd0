using System.Net;

namespace Llava.Hosting.Egress;

/// <summary>Judges a response and reads it, never further than is allowed.</summary>
internal static class ResponseImage
{
    private static readonly string[] Untyped = ["application/octet-stream", "binary/octet-stream"];

    /// <exception cref="EgressException">It is no image, or none was given.</exception>
    public static async Task<byte[]> ReadAsync(string url, HttpResponseMessage response, int maxBytes, TimeProvider time, CancellationToken cancellation)
    {
        if (!response.IsSuccessStatusCode)
        {
            throw Failure(url, response, time);
        }

        var content = response.Content;
        var type = content.Headers.ContentType?.MediaType?.ToLowerInvariant();
        if (type is not null && !type.StartsWith("image/", StringComparison.Ordinal) && !Untyped.Contains(type))
        {
            throw new EgressException("url_not_an_image", url, $"it is of type '{type}'.");
        }

        if (content.Headers.ContentEncoding.Any(encoding => !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase)))
        {
            throw new EgressException("url_not_an_image", url, $"it is compressed ({string.Join(", ", content.Headers.ContentEncoding)}), which was not asked for.");
        }

        return content.Headers.ContentLength > maxBytes ? throw TooLarge(url, maxBytes) : await ReadAsync(url, content, maxBytes, cancellation);
    }

    private static async Task<byte[]> ReadAsync(string url, HttpContent content, int maxBytes, CancellationToken cancellation)
    {
        await using var body = await content.ReadAsStreamAsync(cancellation);
        using MemoryStream read = new();
        var buffer = new byte[64 * 1024];
        while (await body.ReadAsync(buffer, cancellation) is > 0 and var count)
        {
            await read.WriteAsync(buffer.AsMemory(0, read.Length + count <= maxBytes ? count : throw TooLarge(url, maxBytes)), cancellation);
        }

        return read.ToArray();
    }

    private static EgressException TooLarge(string url, int maxBytes) => new("url_too_large", url, $"it has more than {maxBytes} bytes (Llava:Egress:MaxBytes).");

    private static EgressException Failure(string url, HttpResponseMessage response, TimeProvider time) => response.StatusCode switch
    {
        HttpStatusCode.NotFound or HttpStatusCode.Gone => new("url_not_found", url, $"its server says {(int)response.StatusCode}."),
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.UnavailableForLegalReasons => new("url_forbidden", url, $"its server says {(int)response.StatusCode}."),
        var status => new("url_unavailable", url, $"its server says {(int)status}.")
        {
            IsTransient = status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout || (int)status >= 500,
            RetryAfter = response.Headers.RetryAfter is { } after ? after.Delta ?? (after.Date - time.GetUtcNow()) : null,
        },
    };
}
