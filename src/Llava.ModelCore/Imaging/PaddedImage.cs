namespace Llava.ModelCore.Imaging;

/// <summary>
/// An image in the middle of a larger canvas of one colour, without the canvas being stored: a strip of 16384×1 pixels would
/// otherwise become 800 MB.
/// </summary>
/// <param name="Image">The image.</param>
/// <param name="Width">Width of the canvas, at least the image's; of an odd difference the left side gets one less.</param>
/// <param name="Height">Height of the canvas, at least the image's; of an odd difference the top gets one less.</param>
/// <param name="Background">Red, green and blue of the canvas.</param>
internal sealed record PaddedImage(RgbImage Image, int Width, int Height, byte[] Background)
{
    private readonly int _top = (Height - Image.Height) / 2;

    /// <summary>Whether no pixel of the image lies in this row.</summary>
    public bool IsBackground(int y) => y < _top || y >= _top + Image.Height;

    /// <summary>The first column of the canvas that shows the image.</summary>
    public int Left { get; } = (Width - Image.Width) / 2;

    /// <summary>A row of background, for <see cref="Row"/> to write into.</summary>
    public byte[] BackgroundRow()
    {
        var row = new byte[Width * RgbImage.Channels];
        Fill(row);
        return row;
    }

    /// <summary>
    /// A row with pixels of the image in it: the image's own memory where nothing is added at the sides, else
    /// <paramref name="backgroundRow"/> with the image's pixels written over its middle.
    /// </summary>
    public ReadOnlySpan<byte> Row(int y, byte[] backgroundRow)
    {
        var stride = Image.Width * RgbImage.Channels;
        var pixels = Image.Pixels.AsSpan((y - _top) * stride, stride);
        if (Width == Image.Width)
        {
            return pixels;
        }

        pixels.CopyTo(backgroundRow.AsSpan(Left * RgbImage.Channels));
        return backgroundRow;
    }

    /// <summary>Fills a row with the background.</summary>
    public void Fill(Span<byte> row)
    {
        for (var start = 0; start < row.Length; start += RgbImage.Channels)
        {
            Background.CopyTo(row[start..]);
        }
    }
}
