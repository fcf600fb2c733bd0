using System.Buffers.Binary;
using System.Numerics;

namespace Llava.ModelCore.Imaging;

/// <summary>
/// Reads uncompressed Windows and OS/2 bitmaps, because libvips has no loader for them: 1, 4 and 8 bits with a palette, 16 and 32 bits
/// with or without masks, 24 bits. Memory is taken only once the file is known to be long enough.
/// </summary>
internal static class BmpReader
{
    public static RgbImage Read(ReadOnlySpan<byte> file, ImageLimits limits)
    {
        var header = BmpHeader.Parse(file);
        limits.CheckSize(header.Width, header.Height);
        var end = header.PixelOffset + (header.Height * header.Stride);
        if (end > file.Length)
        {
            throw ImageException.Unreadable($"the bitmap ends at byte {file.Length} and its pixels at byte {end}");
        }

        var (width, height) = ((int)header.Width, (int)header.Height);
        var palette = ReadPalette(file, header);
        var pixels = new byte[width * height * RgbImage.Channels];
        for (var y = 0; y < height; y++)
        {
            var line = header.IsTopDown ? y : height - 1 - y;
            var row = file.Slice((int)(header.PixelOffset + (line * header.Stride)), (int)header.Stride);
            var target = pixels.AsSpan(y * width * RgbImage.Channels, width * RgbImage.Channels);
            ReadRow(row, header, palette, target);
        }

        return new RgbImage(width, height, pixels);
    }

    private static void ReadRow(ReadOnlySpan<byte> row, in BmpHeader header, byte[] palette, Span<byte> rgb)
    {
        var (red, green, blue) = (new Channel(header.Masks.Red), new Channel(header.Masks.Green), new Channel(header.Masks.Blue));
        for (var x = 0; x < header.Width; x++)
        {
            var pixel = rgb.Slice(x * RgbImage.Channels, RgbImage.Channels);
            switch (header.BitsPerPixel)
            {
                case 24:
                    (pixel[0], pixel[1], pixel[2]) = (row[(x * 3) + 2], row[(x * 3) + 1], row[x * 3]);
                    break;
                case 16 or 32:
                    var value = header.BitsPerPixel == 16 ? BinaryPrimitives.ReadUInt16LittleEndian(row[(x * 2)..]) : BinaryPrimitives.ReadUInt32LittleEndian(row[(x * 4)..]);
                    (pixel[0], pixel[1], pixel[2]) = (red.Of(value), green.Of(value), blue.Of(value));
                    break;
                default:
                    palette.AsSpan(PaletteIndex(row, x, header.BitsPerPixel) * RgbImage.Channels, RgbImage.Channels).CopyTo(pixel);
                    break;
            }
        }
    }

    // Several pixels share a byte; the leftmost has the highest bits.
    private static int PaletteIndex(ReadOnlySpan<byte> row, int x, int bits)
    {
        var position = x * bits;
        return (row[position / 8] >> (8 - bits - (position % 8))) & ((1 << bits) - 1);
    }

    // Entries that the file leaves out are grey, as in Pillow.
    private static byte[] ReadPalette(ReadOnlySpan<byte> file, in BmpHeader header)
    {
        var palette = new byte[256 * RgbImage.Channels];
        for (var index = 0; index < 256; index++)
        {
            var start = header.PaletteOffset + (index * header.PaletteEntrySize);
            var color = palette.AsSpan(index * RgbImage.Channels, RgbImage.Channels);
            color.Fill((byte)index);
            if (index < header.PaletteEntries && start + RgbImage.Channels <= file.Length)
            {
                (color[0], color[1], color[2]) = (file[start + 2], file[start + 1], file[start]);
            }
        }

        return palette;
    }

    /// <summary>Cuts one colour out of a pixel and stretches it to 0…255.</summary>
    private readonly struct Channel(uint mask)
    {
        private readonly int _shift = mask == 0 ? 0 : BitOperations.TrailingZeroCount(mask);
        private readonly uint _maximum = mask == 0 ? 1 : mask >> BitOperations.TrailingZeroCount(mask);

        public byte Of(uint pixel) => (byte)((ulong)((pixel & mask) >> _shift) * byte.MaxValue / _maximum);
    }
}
