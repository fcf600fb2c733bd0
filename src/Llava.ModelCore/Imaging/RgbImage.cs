namespace Llava.ModelCore.Imaging;

/// <summary>A decoded image.</summary>
/// <param name="Width">In pixels, at least 1.</param>
/// <param name="Height">In pixels, at least 1.</param>
/// <param name="Pixels">Red, green and blue of each pixel, row by row: (height, width, 3).</param>
public sealed record RgbImage(int Width, int Height, byte[] Pixels)
{
    /// <summary>Bytes of a pixel.</summary>
    public const int Channels = 3;

    /// <summary>Width and height of the file's image where it was decoded at a fraction of its size; its proportions decide about resizing.</summary>
    public (int Width, int Height) OriginalSize { get => field == default ? (Width, Height) : field; init; }
}
