namespace Llava.GpuConsumer.Runners;

/// <summary>Gives the encoded bytes of images.</summary>
public interface IImageBytes
{
    /// <summary>The image as it is stored, such as a whole PNG file. Several may be read at the same time.</summary>
    /// <param name="image">Where it is, as a <see cref="WorkItem"/> says.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <exception cref="ItemException">It is not there, cannot be read or is too large.</exception>
    Task<byte[]> ReadAsync(string image, CancellationToken cancellation);
}
