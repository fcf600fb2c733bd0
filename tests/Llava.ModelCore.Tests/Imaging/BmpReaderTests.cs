using System.Buffers.Binary;
using Llava.ModelCore.Imaging;

namespace Llava.ModelCore.Tests.Imaging;

public sealed class BmpReaderTests
{
    private static readonly ImageDecoder Decoder = new();

    [Fact]
    public void Twenty_four_bits_are_read_from_the_bottom_up()
    {
        var bitmap = Bitmap(width: 2, height: 2, bits: 24, [[1, 2, 3, 4, 5, 6, 0, 0], [7, 8, 9, 10, 11, 12, 0, 0]]);

        Assert.Equal([9, 8, 7, 12, 11, 10, 3, 2, 1, 6, 5, 4], Decoder.Decode(bitmap).Pixels);
    }

    [Fact]
    public void A_negative_height_is_read_from_the_top_down()
    {
        var bitmap = Bitmap(width: 1, height: -2, bits: 24, [[1, 2, 3, 0], [4, 5, 6, 0]]);

        Assert.Equal([3, 2, 1, 6, 5, 4], Decoder.Decode(bitmap).Pixels);
    }

    [Fact]
    public void Thirty_two_bits_lose_the_fourth_byte() =>
        Assert.Equal([3, 2, 1], Decoder.Decode(Bitmap(width: 1, height: 1, bits: 32, [[1, 2, 3, 99]])).Pixels);

    [Fact]
    public void Sixteen_bits_are_five_for_each_colour_and_stretched() =>
        Assert.Equal([255, 131, 0], Decoder.Decode(Bitmap(width: 1, height: 1, bits: 16, [[0x00, 0x7E, 0, 0]])).Pixels);

    [Fact]
    public void Masks_say_where_the_colours_are() =>
        Assert.Equal([3, 2, 1], Decoder.Decode(Bitmap(width: 1, height: 1, bits: 32, [[3, 2, 1, 0]], compression: 3, extra: [0xFF, 0, 0, 0, 0, 0xFF, 0, 0, 0, 0, 0xFF, 0])).Pixels);

    [Theory]
    [InlineData(1, 0b0100_0000)]
    [InlineData(4, 0x01)]
    public void Small_pixels_are_looked_up_in_the_palette(int bits, byte row)
    {
        var bitmap = Bitmap(width: 2, height: 1, bits, [[row, 0, 0, 0]], extra: [10, 20, 30, 0, 40, 50, 60, 0], colors: 2);

        Assert.Equal([30, 20, 10, 60, 50, 40], Decoder.Decode(bitmap).Pixels);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Compressed_bitmaps_are_refused(int compression) =>
        Assert.Equal("image_format_unsupported", CodeOf(Bitmap(width: 1, height: 1, bits: 8, [[0, 0, 0, 0]], compression)));

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-5, 1)]
    [InlineData(1, 0)]
    public void A_size_that_makes_no_sense_is_refused(int width, int height) =>
        Assert.Equal("image_unreadable", CodeOf(Bitmap(width, height, bits: 24, [[0, 0, 0, 0]])));

    [Theory]
    [InlineData(20_000, 1)]
    [InlineData(1, int.MinValue)]
    [InlineData(16_000, 16_000)]
    public void A_size_beyond_the_limits_is_refused_although_the_file_is_tiny(int width, int height) =>
        Assert.Equal("image_too_large", CodeOf(Bitmap(width, height, bits: 24, [[0, 0, 0, 0]])));

    [Fact]
    public void Missing_pixels_are_refused_before_memory_is_taken()
    {
        var bitmap = Bitmap(width: 9000, height: 9000, bits: 1, [[0, 0, 0, 0]]);
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Equal("image_unreadable", CodeOf(bitmap));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Fact]
    public void Every_prefix_and_every_flipped_bit_gives_an_image_or_an_error_with_a_code()
    {
        var decoder = new ImageDecoder(new ImageLimits { MaxPixels = 100_000 });
        byte[][] bitmaps =
        [
            Bitmap(width: 5, height: 3, bits: 24, [[.. new byte[16]], [.. new byte[16]], [.. new byte[16]]]),
            Bitmap(width: 5, height: 1, bits: 16, [[.. new byte[12]]], compression: 3, extra: [0, 0x7C, 0, 0, 0xE0, 3, 0, 0, 0x1F, 0, 0, 0]),
            Bitmap(width: 3, height: 1, bits: 8, [[2, 1, 255, 0]], extra: [1, 2, 3, 0, 4, 5, 6, 0], colors: 2),
        ];

        Assert.All(bitmaps, bitmap =>
        {
            for (var length = 1; length < bitmap.Length; length++)
            {
                ImageDecoderTests.AssertDecodesOrExplains(decoder, bitmap[..length]);
            }

            for (var bit = 0; bit < bitmap.Length * 8; bit++)
            {
                var damaged = bitmap.ToArray();
                damaged[bit / 8] ^= (byte)(1 << (bit % 8));
                ImageDecoderTests.AssertDecodesOrExplains(decoder, damaged);
            }
        });
    }

    private static string CodeOf(byte[] bitmap) => Assert.Throws<ImageException>(() => Decoder.Decode(bitmap)).Code;

    // extra is what stands between the header and the pixels: masks or palette
    private static byte[] Bitmap(int width, int height, int bits, byte[][] rows, int compression = 0, byte[]? extra = null, int colors = 0)
    {
        var header = new byte[54];
        header[0] = (byte)'B';
        header[1] = (byte)'M';
        Write(10, header.Length + (extra?.Length ?? 0));
        Write(14, 40);
        Write(18, width);
        Write(22, height);
        Write(26, 1 | (bits << 16));
        Write(30, compression);
        Write(46, colors);
        return [.. header, .. extra ?? [], .. rows.SelectMany(row => row)];

        void Write(int offset, int value) => BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(offset), value);
    }
}
