using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Imaging;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>
/// Case K: pixels of Pillow and of CLIPImageProcessor. Lossless formats must agree exactly; for JPEG and lossy WebP the manifest allows
/// what decoders differ by. The steps after decoding are also fed with Pillow's own pixels, and there must agree exactly.
/// </summary>
public sealed class ImageParityTests : IDisposable
{
    private const int JpegTolerance = 3;
    private const int LossyWebPTolerance = 2;
    private const float NormalizedTolerance = 1e-6f;
    private static readonly string Folder = FixtureFolder.Case("K");
    private static readonly List<JsonElement> Files = [.. FixtureFolder.Json(Folder, "images.json").EnumerateArray()];
    private readonly SafeTensorsFile _expected = SafeTensorsFile.Open(Path.Combine(Folder, "expected.safetensors"));
    private readonly ImageDecoder _decoder = new();

    public void Dispose() => _expected.Dispose();

    [Fact]
    public void Every_file_decodes_to_the_pixels_of_Pillow() => Assert.All(Files, file =>
    {
        var image = Decode(file);
        Assert.Equal((file.Ids("size")[0], file.Ids("size")[1]), (image.Width, image.Height));
        if (_expected.Contains(Prefix(file) + "decoded_rgb"))
        {
            AssertWithin(DecodeTolerance(file), Pixels(Prefix(file) + "decoded_rgb"), image.Pixels);
        }
        else
        {
            var rows = Pixels(Assert.Single(_expected.Entries, entry => entry.Name.StartsWith(Prefix(file) + "decoded_rgb_rows_0_", StringComparison.Ordinal)).Name);
            AssertWithin(DecodeTolerance(file), rows, image.Pixels[..rows.Length]);
        }
    });

    [Fact]
    public void Every_file_becomes_the_square_of_the_original() => Assert.All(Squares("u8"), square =>
    {
        var image = Decode(square.File);
        AssertWithin(DecodeTolerance(square.File), Pixels(square.Tensor), ChannelsFirst(Crop(image, square)));
    });

    [Fact]
    public void The_pixels_of_Pillow_become_exactly_the_square_of_the_original() => Assert.All(
        Squares("u8").Where(square => _expected.Contains(Prefix(square.File) + "decoded_rgb")),
        square =>
        {
            var image = new RgbImage(square.File.Ids("size")[0], square.File.Ids("size")[1], Pixels(Prefix(square.File) + "decoded_rgb"));
            Assert.Equal(Pixels(square.Tensor), ChannelsFirst(Crop(image, square)));
        });

    [Fact]
    public void Normalised_values_are_those_of_the_original_square() => Assert.All(Squares("pixel_values"), square =>
    {
        var pixels = Pixels(square.Tensor.Replace("pixel_values", "u8"));
        var plane = square.Side * square.Side;
        byte[] interleaved = [.. Enumerable.Range(0, pixels.Length).Select(index => pixels[(index % 3 * plane) + (index / 3)])];
        var values = Preprocessor(square).Process(new RgbImage(square.Side, square.Side, interleaved), ImageAspect.Square).Values;
        AssertClose(_expected.ReadArray<float>(square.Tensor), values);
    });

    [Fact]
    public void A_file_that_the_original_fails_on_is_prepared_all_the_same() => Assert.All(
        Files.Where(file => file.TryGetProperty("square_error", out _)),
        file => Assert.All([ImageAspect.Square, ImageAspect.Pad], aspect =>
        {
            var values = new ClipPreprocessor(PreprocessorConfig.ForSide(28)).Process(Decode(file), aspect);
            Assert.Equal(3 * 28 * 28, values.Values.Length);
            Assert.True(Array.TrueForAll(values.Values, float.IsFinite));
        }));

    private static string Prefix(JsonElement file) => file.Text("file").Replace('.', '_') + ".";

    private static int DecodeTolerance(JsonElement file) => (file.Text("format"), file.Text("file")) switch
    {
        ("JPEG", _) => JpegTolerance,
        ("WEBP", var name) when !name.Contains("lossless", StringComparison.Ordinal) => LossyWebPTolerance,
        _ => 0,
    };

    private static ClipPreprocessor Preprocessor(Square square) => new(PreprocessorConfig.ForSide(square.Side));

    // Upstream guesses the order of the axes and takes an array 3 pixels high, (3, width, 3), for channels first. Its result for such an
    // image is scrambled and ours is right; what can be compared is its result with ours for the image that it believes to see.
    private static RgbImage Crop(RgbImage image, Square square)
    {
        var preprocessor = Preprocessor(square);
        var height = square.Aspect == ImageAspect.Pad ? Math.Max(image.Width, image.Height) : image.Height;
        if (height != 3)
        {
            return preprocessor.ResizeAndCrop(image, square.Aspect);
        }

        var seen = square.Aspect == ImageAspect.Pad ? Padded(image, height) : image.Pixels;
        var row = seen.Length / height;
        byte[] misread = [.. Enumerable.Range(0, seen.Length).Select(index => seen[(index % height * row) + (index / height)])];
        return preprocessor.ResizeAndCrop(new RgbImage(3, row / 3, misread), ImageAspect.Square);
    }

    private static byte[] Padded(RgbImage image, int side)
    {
        var canvas = new PaddedImage(image, side, side, [122, 116, 104]);
        var pixels = new byte[side * side * 3];
        for (var y = 0; y < side; y++)
        {
            var row = pixels.AsSpan(y * side * 3, side * 3);
            canvas.Fill(row);
            if (!canvas.IsBackground(y))
            {
                canvas.Row(y, canvas.BackgroundRow()).CopyTo(row);
            }
        }

        return pixels;
    }

    private static byte[] ChannelsFirst(RgbImage image)
    {
        var plane = image.Width * image.Height;
        return [.. Enumerable.Range(0, 3 * plane).Select(index => image.Pixels[(index % plane * 3) + (index / plane)])];
    }

    private static void AssertWithin(int tolerance, byte[] expected, byte[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.True(expected.Zip(actual).All(pair => Math.Abs(pair.First - pair.Second) <= tolerance), $"pixels differ by more than {tolerance}");
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.True(expected.Zip(actual).All(pair => Math.Abs(pair.First - pair.Second) <= NormalizedTolerance), $"values differ by more than {NormalizedTolerance}");
    }

    private RgbImage Decode(JsonElement file)
    {
        var image = _decoder.Decode(File.ReadAllBytes(Path.Combine(Folder, "images", file.Text("file"))));
        if (file.TryGetProperty("decoded_rgb_sha256", out var hash) && DecodeTolerance(file) == 0)
        {
            Assert.Equal(hash.GetString(), Convert.ToHexStringLower(SHA256.HashData(image.Pixels)));
        }

        return image;
    }

    private byte[] Pixels(string tensor) => _expected.ReadArray<byte>(tensor);

    // Tensors are named file.aspect.side.kind
    private List<Square> Squares(string kind)
    {
        List<Square> squares = [.. _expected.Entries.Where(entry => entry.Name.EndsWith("." + kind, StringComparison.Ordinal)).Select(entry =>
        {
            var parts = entry.Name.Split('.');
            var file = Files.Single(file => Prefix(file) == parts[0] + ".");
            return new Square(file, entry.Name, Enum.Parse<ImageAspect>(parts[1], ignoreCase: true), int.Parse(parts[2], CultureInfo.InvariantCulture));
        })];
        Assert.NotEmpty(squares);
        return squares;
    }

    private sealed record Square(JsonElement File, string Tensor, ImageAspect Aspect, int Side);
}
