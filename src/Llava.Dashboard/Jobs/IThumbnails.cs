namespace Llava.Dashboard.Jobs;

/// <summary>Small pictures of items. The host implements it, because decoding an image is the model core's business.</summary>
public interface IThumbnails
{
    /// <summary>A JPEG of at most <see cref="Side"/> pixels a side, or null where the image cannot be read.</summary>
    /// <param name="image">Where the image is, as the item says.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    Task<byte[]?> ReadAsync(string image, CancellationToken cancellationToken);

    /// <summary>Longest side of a thumbnail, in pixels.</summary>
    const int Side = 320;
}
