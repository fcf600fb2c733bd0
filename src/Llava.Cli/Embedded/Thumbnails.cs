using Llava.Dashboard.Jobs;
using Llava.Hosting.Paths;
using Llava.ModelCore.Imaging;

namespace Llava.Cli.Embedded;

/// <summary>Thumbnails from the model core's decoder, with its limits and its list of allowed formats.</summary>
internal sealed class Thumbnails : IThumbnails, IDisposable
{
    private const int MaxBytes = 100 << 20;

    private readonly ThumbnailEncoder _encoder = new();
    private readonly SemaphoreSlim _decoding = new(Environment.ProcessorCount);

    /// <inheritdoc/>
    public async Task<byte[]?> ReadAsync(string image, CancellationToken cancellationToken)
    {
        await _decoding.WaitAsync(cancellationToken);
        try
        {
            return ImageLocation.Parse(image) is { Exists: true, Size: <= MaxBytes } location
                ? _encoder.Encode(await location.ReadAsync(cancellationToken), IThumbnails.Side)
                : null;
        }
        catch (Exception e) when (e is ImageException or IOException or UnauthorizedAccessException)
        {
            // The item's own result says what is wrong with the image; the gallery shows an empty place.
            return null;
        }
        finally
        {
            _decoding.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _decoding.Dispose();
}
