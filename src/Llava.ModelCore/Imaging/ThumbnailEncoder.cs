using NetVips;

namespace Llava.ModelCore.Imaging;

/// <summary>Small JPEGs for people to look at. Decoding goes through <see cref="ImageDecoder"/>, so its limits and formats hold.</summary>
public sealed class ThumbnailEncoder
{
    private const int Quality = 80;

    private readonly ImageDecoder _decoder = new() { ShrinksOnLoad = true, AppliesOrientation = true };

    /// <summary>A JPEG whose longest side is at most <paramref name="side"/> pixels; smaller images keep their size.</summary>
    /// <exception cref="ImageException">The bytes are not a usable image.</exception>
    public byte[] Encode(byte[] encoded, int side)
    {
        var image = _decoder.Decode(encoded, side);
        using var pixels = Image.NewFromMemory(image.Pixels, image.Width, image.Height, RgbImage.Channels, Enums.BandFormat.Uchar);
        using var upright = pixels.Copy(interpretation: Enums.Interpretation.Srgb);
        using var small = upright.ThumbnailImage(side, height: side, size: Enums.Size.Down);
        return small.JpegsaveBuffer(q: Quality);
    }
}
