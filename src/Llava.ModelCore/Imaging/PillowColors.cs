using NetVips;

namespace Llava.ModelCore.Imaging;

/// <summary>Brings what libvips decoded to 8-bit RGB by the rules of Pillow's <c>convert("RGB")</c>.</summary>
internal static class PillowColors
{
    private const int MaxBands = 4;

    public static RgbImage ToRgb(Image image)
    {
        if (image.Bands > MaxBands || image.Format is not (Enums.BandFormat.Uchar or Enums.BandFormat.Ushort))
        {
            throw ImageException.Unsupported($"made of {image.Bands} bands of type {image.Format}");
        }

        if (image.Interpretation is Enums.Interpretation.Lab or Enums.Interpretation.Labs or Enums.Interpretation.Labq)
        {
            throw ImageException.Unsupported($"in the colour space {image.Interpretation}");
        }

        var isCmyk = image.Interpretation == Enums.Interpretation.Cmyk && image.Bands == MaxBands;
        var pixels = image.Format == Enums.BandFormat.Ushort
            ? FromWords(image.WriteToMemory<ushort>(), image.Bands, isCmyk)
            : FromBytes(image.WriteToMemory<byte>(), image.Bands, isCmyk);
        return new RgbImage(image.Width, image.Height, pixels);
    }

    // Pillow clips 16-bit grey to 255 but takes the high byte of everything else.
    internal static byte[] FromWords(ushort[] words, int bands, bool isCmyk)
    {
        var bytes = new byte[words.Length];
        for (var index = 0; index < words.Length; index++)
        {
            bytes[index] = bands == 1 ? (byte)Math.Min(words[index], (ushort)byte.MaxValue) : (byte)(words[index] >> 8);
        }

        return FromBytes(bytes, bands, isCmyk);
    }

    internal static byte[] FromBytes(byte[] samples, int bands, bool isCmyk) => (bands, isCmyk) switch
    {
        (3, _) => samples,
        (4, true) => FromCmyk(samples),
        _ => WithoutAlpha(samples, bands),
    };

    private static byte[] WithoutAlpha(byte[] samples, int bands)
    {
        var rgb = new byte[samples.Length / bands * RgbImage.Channels];
        var (green, blue) = bands < RgbImage.Channels ? (0, 0) : (1, 2);
        for (int source = 0, target = 0; target < rgb.Length; source += bands, target += RgbImage.Channels)
        {
            rgb[target] = samples[source];
            rgb[target + 1] = samples[source + green];
            rgb[target + 2] = samples[source + blue];
        }

        return rgb;
    }

    // white − ink·white, where white is what black ink leaves over; division by 255 as Pillow rounds it.
    private static byte[] FromCmyk(byte[] inks)
    {
        var rgb = new byte[inks.Length / 4 * RgbImage.Channels];
        for (int source = 0, target = 0; target < rgb.Length; source += 4, target += RgbImage.Channels)
        {
            var white = byte.MaxValue - inks[source + 3];
            for (var channel = 0; channel < RgbImage.Channels; channel++)
            {
                var product = (inks[source + channel] * white) + 128;
                rgb[target + channel] = (byte)Math.Clamp(white - ((product + (product >> 8)) >> 8), 0, byte.MaxValue);
            }
        }

        return rgb;
    }
}
