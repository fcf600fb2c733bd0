using Llava.Hosting.Paths;

namespace Llava.GpuConsumer.Runners;

/// <summary>Reads images where they are, each time anew.</summary>
internal sealed class ImageFiles : IImageBytes
{
    private const long MaxImageBytes = 100L << 20;

    public static ImageFiles Instance { get; } = new();

    public async Task<byte[]> ReadAsync(string image, CancellationToken cancellation)
    {
        try
        {
            var location = ImageLocation.Parse(image);
            return location.Size <= MaxImageBytes
                ? await location.ReadAsync(cancellation)
                : throw new ItemException("image_too_large", $"'{image}' has {location.Size} bytes and the limit is {MaxImageBytes}. Shrink the image.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ItemException("image_not_found", $"'{image}' does not exist. Check the name and the image folder.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ItemException("image_unreadable", $"'{image}' cannot be read: {e.Message}", e);
        }
    }
}
