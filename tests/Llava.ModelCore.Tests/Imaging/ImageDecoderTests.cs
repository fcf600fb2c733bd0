using System.Buffers.Binary;
using System.Text;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Tests.Parity;

namespace Llava.ModelCore.Tests.Imaging;

public sealed class ImageDecoderTests
{
    private static readonly string Images = Path.Combine(FixtureFolder.Case("K"), "images");
    private static readonly ImageDecoder Decoder = new();

    public static TheoryData<string> Files => [.. Directory.EnumerateFiles(Images).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [Fact]
    public void No_bytes_are_refused() => AssertRefused("image_empty", []);

    [Theory]
    [InlineData("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")]
    [InlineData("<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")]
    [InlineData("%PDF-1.4 1 0 obj")]
    [InlineData("P6 1 1 255 abc")]
    [InlineData("just text")]
    [InlineData("x")]
    public void Other_formats_are_refused_whatever_the_file_is_called(string content) => AssertRefused("image_format_unsupported", Encoding.UTF8.GetBytes(content));

    [Fact]
    public void An_image_with_a_hevc_brand_is_refused() =>
        AssertRefused("image_format_unsupported", [0, 0, 0, 24, .. "ftypheic"u8, 0, 0, 0, 0, .. "mif1heic"u8, 1, 2, 3]);

    [Fact]
    public void A_file_beyond_the_byte_limit_is_refused_with_both_numbers()
    {
        var bytes = File.ReadAllBytes(Directory.EnumerateFiles(Images, "*.jpg").First());
        var decoder = new ImageDecoder(new ImageLimits { MaxBytes = bytes.Length - 1 });

        var error = Assert.Throws<ImageException>(() => decoder.Decode(bytes));

        Assert.Equal("image_too_large", error.Code);
        Assert.Contains($"{bytes.Length}", error.Message);
        Assert.Contains($"{bytes.Length - 1}", error.Message);
    }

    [Theory]
    [InlineData(60_000, 60_000)]
    [InlineData(16_385, 1)]
    [InlineData(1, 16_385)]
    [InlineData(16_384, 16_384)]
    public void A_small_file_that_claims_a_huge_image_is_refused_before_its_pixels_are_decoded(int width, int height)
    {
        var bomb = WithSize(File.ReadAllBytes(Directory.EnumerateFiles(Images, "*.png").First()), width, height);

        AssertRefused("image_too_large", bomb);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_that_was_cut_off_is_an_error_and_never_half_an_image(string file)
    {
        var bytes = File.ReadAllBytes(Path.Combine(Images, file));
        AssertRefused("image_unreadable", bytes[..Math.Max(15, bytes.Length / 10)]);
        foreach (var share in (double[])[0.5, 0.8])
        {
            var cut = bytes[..Math.Max(15, (int)(bytes.Length * share))];
            if (file.EndsWith(".gif", StringComparison.Ordinal))
            {
                // What is missing may be later frames only.
                Assert.Equal(Decoder.Decode(bytes).Pixels, Decoder.Decode(cut).Pixels);
            }
            else
            {
                AssertRefused("image_unreadable", cut);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Damaged_bytes_give_an_image_or_an_error_with_a_code(string file)
    {
        var original = File.ReadAllBytes(Path.Combine(Images, file));
        var decoder = new ImageDecoder(new ImageLimits { MaxPixels = 1_000_000 });
        var random = new Random(original.Length);
        for (var round = 0; round < 20; round++)
        {
            var bytes = original.ToArray();
            for (var flips = 0; flips < 8; flips++)
            {
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            }

            AssertDecodesOrExplains(decoder, bytes);
        }
    }

    [Fact]
    public void Orientation_is_applied_only_when_asked_for()
    {
        var upright = new ImageDecoder { AppliesOrientation = true };

        Assert.Contains(Directory.EnumerateFiles(Images, "*.jpg").Select(File.ReadAllBytes), bytes =>
            (Decoder.Decode(bytes), upright.Decode(bytes)) is var (stored, turned)
            && (stored.Width, stored.Height) == (turned.Height, turned.Width) && stored.Width != stored.Height);
    }

    [Fact]
    public void Shrinking_on_load_keeps_twice_the_edge_that_is_needed()
    {
        var bytes = LargestPhoto();
        var whole = Decoder.Decode(bytes);
        var decoder = new ImageDecoder { ShrinksOnLoad = true };
        var shortest = Math.Min(whole.Width, whole.Height);

        Assert.InRange(Math.Min(decoder.Decode(bytes, shortest / 8).Width, decoder.Decode(bytes, shortest / 8).Height), shortest / 8 * 2, shortest / 2);
        Assert.Equal(whole.Pixels, decoder.Decode(bytes, shortest).Pixels);
        Assert.Equal(whole.Pixels, decoder.Decode(bytes).Pixels);
        Assert.Equal(whole.Pixels, Decoder.Decode(bytes, 1).Pixels);
    }

    [Fact]
    public void Shrinking_on_load_changes_the_result_by_a_few_levels_only()
    {
        var bytes = LargestPhoto();
        var preprocessor = new ClipPreprocessor(PreprocessorConfig.ForSide(56));
        var exact = preprocessor.Process(bytes, Decoder, ImageAspect.Square);

        var quick = preprocessor.Process(bytes, new ImageDecoder { ShrinksOnLoad = true }, ImageAspect.Square);

        Assert.NotEqual(exact.Values, quick.Values);
        Assert.InRange(exact.Values.Zip(quick.Values).Average(pair => Math.Abs(pair.First - pair.Second)), 0, 0.05); // three of 256 levels
    }

    [Fact]
    public void Many_threads_decode_the_same_pixels()
    {
        var files = Directory.EnumerateFiles(Images).Select(File.ReadAllBytes).Where(bytes => bytes.Length < 20_000).ToList();
        var expected = files.ConvertAll(bytes => Decoder.Decode(bytes).Pixels);

        Parallel.For(0, files.Count * 8, index => Assert.Equal(expected[index % files.Count], Decoder.Decode(files[index % files.Count]).Pixels));
    }

    private static byte[] LargestPhoto() => Directory.EnumerateFiles(Images, "*.jpg").Select(File.ReadAllBytes).MaxBy(bytes => bytes.Length)!;

    internal static void AssertDecodesOrExplains(ImageDecoder decoder, byte[] bytes)
    {
        try
        {
            var image = decoder.Decode(bytes);
            Assert.Equal(image.Width * image.Height * RgbImage.Channels, image.Pixels.Length);
        }
        catch (ImageException exception)
        {
            Assert.StartsWith("image_", exception.Code);
        }
    }

    private static void AssertRefused(string code, byte[] bytes) => Assert.Equal(code, Assert.Throws<ImageException>(() => Decoder.Decode(bytes)).Code);

    // Writes another size into the header chunk of a PNG, with a checksum that fits.
    private static byte[] WithSize(byte[] png, int width, int height)
    {
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        var crc = uint.MaxValue;
        foreach (var value in png.AsSpan(12, 17))
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }

        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), ~crc);
        return png;
    }
}
