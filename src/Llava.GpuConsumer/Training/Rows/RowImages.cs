using Llava.Hosting.Egress;
using Llava.Hosting.Paths;
using Llava.Ledger.Files;

namespace Llava.GpuConsumer.Training.Rows;

/// <summary>Fetches the images of rows: inside the row, from files that were sent before, from allowed folders, or from the web where that is allowed.</summary>
internal sealed class RowImages(GuardedEgress egress, FileStore files, TrainingOptions options)
{
    private const string FileId = "file-id:";
    private const string FileUrl = "file://";

    private readonly AllowedRoots _roots = new(options.ImageRoots);

    /// <summary>The image's bytes; whether they are an image, the decoder says.</summary>
    /// <exception cref="RowException">It cannot be had.</exception>
    /// <exception cref="EgressUnreachableException">This machine's network is out of order; no row is to blame.</exception>
    public async Task<byte[]> ReadAsync(string image, string tenant, CancellationToken cancellation)
    {
        var bytes = image switch
        {
            _ when DataUrl.IsDataUrl(image) => Decode(image),
            _ when ImageLocation.IsUrl(image) => await FetchAsync(image, cancellation),
            _ when image.StartsWith(FileId, StringComparison.Ordinal) => await ReadFileAsync(image[FileId.Length..], tenant, cancellation),
            _ => await ReadPathAsync(image.StartsWith(FileUrl, StringComparison.OrdinalIgnoreCase) ? Uri.UnescapeDataString(image[FileUrl.Length..]) : image, cancellation),
        };
        return bytes.Length <= options.MaxImageBytes ? bytes : throw TooLarge(bytes.Length);
    }

    private static byte[] Decode(string url)
    {
        try
        {
            return DataUrl.Decode(url);
        }
        catch (FormatException broken)
        {
            throw new RowException("invalid_image_url", $"has an image that cannot be read: {broken.Message}", isSkippable: true);
        }
    }

    private async Task<byte[]> FetchAsync(string url, CancellationToken cancellation)
    {
        try
        {
            return await egress.FetchAsync(url, cancellation);
        }
        catch (EgressException refused)
        {
            throw new RowException(refused.Code, $"has an image that cannot be fetched: {refused.Message}", isSkippable: true);
        }
    }

    private async Task<byte[]> ReadFileAsync(string id, string tenant, CancellationToken cancellation)
    {
        var file = await files.FindAsync(id, tenant, cancellation) ?? throw new RowException("file_not_found", $"shows file '{id}', which is not there.", isSkippable: true);
        if (file.Bytes > options.MaxImageBytes)
        {
            throw TooLarge(file.Bytes);
        }

        await using var content = files.Open(file);
        var bytes = new byte[file.Bytes];
        await content.ReadExactlyAsync(bytes, cancellation);
        return bytes;
    }

    private async Task<byte[]> ReadPathAsync(string path, CancellationToken cancellation)
    {
        try
        {
            var folder = options.ImageRoots is [var first, ..] ? first : Environment.CurrentDirectory;
            FileInfo file = new(_roots.Resolve(path, folder));
            return file.Length <= options.MaxImageBytes ? await File.ReadAllBytesAsync(file.FullName, cancellation) : throw TooLarge(file.Length);
        }
        catch (PathNotAllowedException)
        {
            // The roots themselves are no caller's business.
            throw new RowException(PathNotAllowedException.Code, "names an image by a path that may not be read; put images into the row as data URLs, or ask for the folder in Llava:Training:ImageRoots.", isSkippable: true);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            throw new RowException("image_not_found", "names an image that is not there or cannot be read.", isSkippable: true);
        }
    }

    private RowException TooLarge(long bytes) => new("image_too_large", FormattableString.Invariant($"has an image of {bytes} bytes and the limit is {options.MaxImageBytes}."), isSkippable: true);
}
