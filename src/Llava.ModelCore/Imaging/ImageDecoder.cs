using NetVips;

namespace Llava.ModelCore.Imaging;

/// <summary>
/// Decodes image files to RGB with the results of Pillow's <c>convert("RGB")</c>: alpha is dropped, the first frame counts, EXIF
/// orientation is ignored unless asked for. Files come from anywhere, so only an allowlist of loaders is ever reached and limits are
/// checked before pixels are decoded. Safe for use by several threads.
/// </summary>
/// <param name="limits">What an image may cost; null for the defaults.</param>
public sealed class ImageDecoder(ImageLimits? limits = null)
{
    private static readonly string[] AllowedLoaders = ["Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif"];
    private readonly ImageLimits _limits = limits ?? new ImageLimits();

    static ImageDecoder()
    {
        // Parallelism belongs to the callers, and no image is decoded twice.
        NetVips.NetVips.Concurrency = 1;
        Cache.Max = 0;
        NetVips.NetVips.BlockUntrusted = true;
        Operation.Block("VipsForeignLoad", true);
        Array.ForEach(AllowedLoaders, loader => Operation.Block("VipsForeignLoad" + loader, false));
    }

    /// <summary>Whether the image is turned as its EXIF orientation says. Default false, as in LLaVA.</summary>
    public bool AppliesOrientation { get; init; }

    /// <summary>
    /// Whether a JPEG may be decoded at a half, a quarter or an eighth while its short edge stays at least twice what is needed: about
    /// three times quicker, pixels differ by up to 5 after resizing. Default false: bit-identical to the original.
    /// </summary>
    public bool ShrinksOnLoad { get; init; }

    /// <summary>Decodes an image file.</summary>
    /// <param name="encoded">The content of the file.</param>
    /// <param name="neededEdge">Pixels of the short edge that the caller will resize to; only used with <see cref="ShrinksOnLoad"/>, 0 for all.</param>
    /// <exception cref="ImageException">The bytes are none, too many, of another format, damaged, or describe too large an image.</exception>
    public RgbImage Decode(byte[] encoded, int neededEdge = 0)
    {
        if (encoded.Length == 0)
        {
            throw ImageException.Empty();
        }

        if (encoded.Length > _limits.MaxBytes)
        {
            throw ImageException.TooLarge("a number of bytes", encoded.Length, _limits.MaxBytes);
        }

        var format = ImageSignature.Detect(encoded);
        try
        {
            return format switch
            {
                ImageFormat.Unknown => throw ImageException.Unsupported("of an unknown format"),
                ImageFormat.Bmp => BmpReader.Read(encoded, _limits),
                _ => DecodeWithVips(encoded, format, neededEdge),
            };
        }
        catch (VipsException exception)
        {
            throw ImageException.Unreadable(exception.Message, exception);
        }
    }

    private RgbImage DecodeWithVips(byte[] encoded, ImageFormat format, int neededEdge)
    {
        using var whole = Orient(Image.NewFromBuffer(encoded, access: Enums.Access.Sequential, failOn: Enums.FailOn.Truncated));
        _limits.CheckSize(whole.Width, whole.Height);
        var factor = format == ImageFormat.Jpeg && ShrinksOnLoad ? ShrinkFactor(Math.Min(whole.Width, whole.Height), neededEdge) : 1;
        if (factor == 1)
        {
            return PillowColors.ToRgb(whole);
        }

        using var shrunk = Orient(Image.JpegloadBuffer(encoded, shrink: factor, access: Enums.Access.Sequential, failOn: Enums.FailOn.Truncated));
        return PillowColors.ToRgb(shrunk) with { OriginalSize = (whole.Width, whole.Height) };
    }

    private static int ShrinkFactor(int shortEdge, int neededEdge) =>
        neededEdge <= 0 ? 1 : Array.Find([8, 4, 2], factor => shortEdge / factor >= 2 * neededEdge) is var factor and > 0 ? factor : 1;

    private Image Orient(Image image)
    {
        if (!AppliesOrientation)
        {
            return image;
        }

        using (image)
        {
            return image.Autorot();
        }
    }
}
