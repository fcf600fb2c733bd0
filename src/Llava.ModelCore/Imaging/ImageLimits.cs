namespace Llava.ModelCore.Imaging;

/// <summary>What an encoded image may cost; checked before any pixel is decoded.</summary>
public sealed class ImageLimits
{
    /// <summary>Bytes of the encoded file. Default 64 MiB, at least 1.</summary>
    public int MaxBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>Pixels of the longer side. Default 16384, at least 1.</summary>
    public int MaxSide { get; set; } = 16_384;

    /// <summary>Pixels of the whole image. Default 100 million, at least 1 and at most 700 million, which is what one array can hold.</summary>
    public int MaxPixels { get; set; } = 100_000_000;

    /// <summary>Checks a header.</summary>
    /// <exception cref="ImageException">A side or the area is beyond the limit (<c>image_too_large</c>).</exception>
    internal void CheckSize(long width, long height)
    {
        if (Math.Max(width, height) > MaxSide)
        {
            throw ImageException.TooLarge("a side of pixels", Math.Max(width, height), MaxSide);
        }

        if (width * height > MaxPixels)
        {
            throw ImageException.TooLarge("a number of pixels", width * height, MaxPixels);
        }
    }
}
