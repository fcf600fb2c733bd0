using Llava.Hosting.Egress;
using Llava.Hosting.Paths;

namespace Llava.GpuConsumer.Runners;

/// <summary>Reads images from where items name them; what is wrong with one is its item's failure.</summary>
internal sealed class ItemImages(GuardedEgress egress) : IImageBytes
{
    private const long MaxFileBytes = 100L << 20;

    /// <inheritdoc/>
    /// <exception cref="EgressUnreachableException">This machine's network is out of order; no item is to blame.</exception>
    public Task<byte[]> ReadAsync(string image, CancellationToken cancellation) =>
        ImageLocation.IsUrl(image) ? FetchAsync(image, cancellation) : ReadFileAsync(image, cancellation);

    private async Task<byte[]> FetchAsync(string url, CancellationToken cancellation)
    {
        try
        {
            return await egress.FetchAsync(url, cancellation);
        }
        catch (EgressException e)
        {
            throw new ItemException(e.Code, e.Message, e);
        }
    }

    private static async Task<byte[]> ReadFileAsync(string path, CancellationToken cancellation)
    {
        try
        {
            var image = ImageLocation.Parse(path);
            return image.Size <= MaxFileBytes
                ? await image.ReadAsync(cancellation)
                : throw new ItemException("image_too_large", $"'{path}' has {image.Size} bytes and the limit is {MaxFileBytes}. Shrink the image.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ItemException("image_not_found", $"'{path}' does not exist. Check the name and the image folder.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ItemException("image_unreadable", $"'{path}' cannot be read: {e.Message}", e);
        }
    }
}
