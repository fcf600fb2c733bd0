using System.Globalization;
using Llava.Contracts.Requests;
using Llava.Dashboard.Api;
using Llava.Dashboard.OpenAi.Files;
using Llava.Hosting.Egress;
using Llava.Hosting.Paths;
using Llava.Ledger.Files;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.OpenAi.Chat;

/// <summary>
/// Fetches the images of chats: inside the request, from files that were sent before, from allowed folders, or from the web where that is
/// allowed. Consumers get bytes, and never a name to follow.
/// </summary>
internal sealed class ChatImages(FileStore files, GuardedEgress egress, ChatInputOptions limits)
{
    /// <summary>How a file that was sent before is named.</summary>
    public const string FileId = SourceDescription.FileId;

    /// <summary>How a file on the dashboard's machine is named.</summary>
    public const string FileUrl = "file://";

    private readonly AllowedRoots _roots = new(limits.ImageRoots);

    /// <summary>The images' bytes, in order.</summary>
    /// <exception cref="OpenAiException">One of them cannot be had; the message names the field.</exception>
    public async Task<List<byte[]>> ReadAsync(IEnumerable<ImageUrl> images, Caller caller, CancellationToken cancellation)
    {
        List<byte[]> read = [];
        var left = (long)limits.MaxAllImageBytes;
        foreach (var image in images)
        {
            var bytes = await ReadAsync(image, caller, cancellation);
            RequireSize(image, bytes.Length);
            left -= bytes.Length;
            read.Add(left >= 0 ? bytes : throw TooLarge(image, $"is one too many: all images of a request may have {Number(limits.MaxAllImageBytes)} bytes"));
        }

        return read;
    }

    private Task<byte[]> ReadAsync(ImageUrl image, Caller caller, CancellationToken cancellation) => image.Url switch
    {
        var url when DataUrl.IsDataUrl(url) => Task.FromResult(Decode(image)),
        var url when ImageLocation.IsUrl(url) => FetchAsync(image, cancellation),
        var url when url.StartsWith(FileId, StringComparison.Ordinal) => ReadFileAsync(image, url[FileId.Length..], caller, cancellation),
        var url when url.StartsWith(FileUrl, StringComparison.OrdinalIgnoreCase) => ReadPathAsync(image, cancellation),
        _ => throw OpenAiException.Invalid("invalid_image_url", $"'{image.Field}' is no URL that is known here; give data:image/…;base64,…, http(s)://…, file-id:<id of a file> or file://<path>.", image.Field),
    };

    private byte[] Decode(ImageUrl image)
    {
        // Four letters are three bytes.
        RequireSize(image, (image.Url.Length - image.Url.IndexOf(',', StringComparison.Ordinal)) / 4L * 3 - 2);
        try
        {
            return DataUrl.Decode(image.Url);
        }
        catch (FormatException broken)
        {
            throw OpenAiException.Invalid("invalid_image_url", $"'{image.Field}' cannot be read: {broken.Message}", image.Field);
        }
    }

    private async Task<byte[]> FetchAsync(ImageUrl image, CancellationToken cancellation)
    {
        try
        {
            return await egress.FetchAsync(image.Url, cancellation);
        }
        catch (EgressException refused)
        {
            throw OpenAiException.Invalid("invalid_image_url", $"'{image.Field}': {refused.Message}", image.Field);
        }
        catch (EgressUnreachableException broken)
        {
            throw new OpenAiException(StatusCodes.Status503ServiceUnavailable, OpenAiErrors.ServerError, "network_unreachable", image.Field, $"'{image.Field}' cannot be fetched at the moment: {broken.Message}");
        }
    }

    private async Task<byte[]> ReadFileAsync(ImageUrl image, string id, Caller caller, CancellationToken cancellation)
    {
        var file = await caller.FileAsync(files, id, cancellation);
        RequireSize(image, file.Bytes);
        await using var content = files.Open(file);
        var bytes = new byte[file.Bytes];
        await content.ReadExactlyAsync(bytes, cancellation);
        return bytes;
    }

    private async Task<byte[]> ReadPathAsync(ImageUrl image, CancellationToken cancellation)
    {
        try
        {
            FileInfo file = new(_roots.Resolve(Uri.UnescapeDataString(image.Url[FileUrl.Length..]), Path.GetPathRoot(Environment.CurrentDirectory)!));
            RequireSize(image, file.Length);
            return await File.ReadAllBytesAsync(file.FullName, cancellation);
        }
        catch (PathNotAllowedException)
        {
            // The roots themselves are no caller's business.
            throw OpenAiException.Invalid("invalid_image_url", $"'{image.Field}' names a path that may not be read; the server's Llava:Chat:Input:ImageRoots says which may.", image.Field);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            throw OpenAiException.Invalid("invalid_image_url", $"'{image.Field}' names a file that is not there or cannot be read.", image.Field);
        }
    }

    private void RequireSize(ImageUrl image, long bytes)
    {
        if (bytes > limits.MaxImageBytes)
        {
            throw TooLarge(image, $"has {Number(bytes)} bytes and the limit is {Number(limits.MaxImageBytes)}");
        }
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static OpenAiException TooLarge(ImageUrl image, string what) => OpenAiException.Invalid("image_too_large", $"The image at '{image.Field}' {what}.", image.Field);
}
