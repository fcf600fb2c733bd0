namespace Llava.ModelCore.Imaging;

/// <summary>What a file with an encoded image is called at its end.</summary>
public static class ImageSuffix
{
    /// <summary>The usual suffix with its dot, by the image's first bytes; <c>.bin</c> where no image is recognised.</summary>
    public static string Of(ReadOnlySpan<byte> encoded) => ImageSignature.Detect(encoded) switch
    {
        ImageFormat.Jpeg => ".jpg",
        ImageFormat.Tiff => ".tif",
        ImageFormat.Unknown => ".bin",
        var format => $".{format.ToString().ToLowerInvariant()}",
    };
}
