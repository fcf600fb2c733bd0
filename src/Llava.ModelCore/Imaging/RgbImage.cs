namespace Llava.ModelCore.Imaging;

/// <summary>A decoded image.</summary>
/// <param name="Width">In pixels, at least 1.</param>
/// <param name="Height">In pixels, at least 1.</param>
/// <param name="Pixels">Red, green and blue of each pixel, row by row: (height, width, 3).</param>
public sealed record RgbImage(int Width, int Height, byte[] Pixels)
{
    /// <summary>Bytes of a pixel.</summary>
    public const int Channels = 3;
}
