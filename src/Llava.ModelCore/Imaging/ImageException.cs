namespace Llava.ModelCore.Imaging;

/// <summary>An image cannot be used; trying again with the same bytes cannot help.</summary>
public sealed class ImageException : LlavaException
{
    private ImageException(string code, string message, Exception? inner = null)
        : base(message, isRetryable: false, inner) => Code = code;

    /// <summary>Stable code for programs: <c>image_empty</c>, <c>image_too_large</c>, <c>image_format_unsupported</c> or <c>image_unreadable</c>.</summary>
    public string Code { get; }

    internal static ImageException Empty() => new("image_empty", "The image has no bytes. Check that the file was copied completely.");

    internal static ImageException TooLarge(string what, long value, long limit) =>
        new("image_too_large", $"The image has {what} {value}, and the limit is {limit}. Shrink the image or raise the limit.");

    internal static ImageException Unsupported(string what) =>
        new("image_format_unsupported", $"The image is {what}. Supported are JPEG, PNG, WebP, GIF, TIFF, AVIF and BMP: convert it first.");

    internal static ImageException Unreadable(string why, Exception? inner = null) =>
        new("image_unreadable", $"The image cannot be decoded: {why.Trim()}. Open it in a viewer and save it again.", inner);
}
