using Llava.ModelCore.Imaging;

namespace Llava.ModelCore.Tests.Imaging;

public sealed class ClipPreprocessorTests
{
    [Theory]
    [InlineData(4096, 1)]
    [InlineData(1, 4096)]
    public void A_thin_strip_is_padded_without_storing_the_square(int width, int height)
    {
        var preprocessor = new ClipPreprocessor(PreprocessorConfig.ForSide(56));
        var image = new RgbImage(width, height, new byte[width * height * 3]);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var values = preprocessor.Process(image, ImageAspect.Pad);

        Assert.Equal(3 * 56 * 56, values.Values.Length);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_000_000);
    }

    [Fact]
    public void One_colour_stays_that_colour()
    {
        var image = new RgbImage(301, 200, [.. Enumerable.Range(0, 301 * 200).SelectMany(_ => (byte[])[200, 0, 255])]);

        var crop = new ClipPreprocessor(PreprocessorConfig.ForSide(33)).ResizeAndCrop(image, ImageAspect.Square);

        Assert.Equal(Enumerable.Range(0, 33 * 33).SelectMany(_ => (byte[])[200, 0, 255]), crop.Pixels);
    }

    [Fact]
    public void What_is_padded_has_the_mean_colour()
    {
        var image = new RgbImage(90, 30, new byte[90 * 30 * 3]);

        var crop = new ClipPreprocessor(PreprocessorConfig.ForSide(90)).ResizeAndCrop(image, ImageAspect.Pad);

        Assert.Equal([122, 116, 104], crop.Pixels[..3]);
        Assert.Equal([122, 116, 104], crop.Pixels[^3..]);
        Assert.Equal([0, 0, 0], crop.Pixels[(45 * 90 * 3)..][..3]);
    }

    [Fact]
    public void A_crop_larger_than_the_resized_image_is_filled_with_black()
    {
        var white = new RgbImage(4, 4, [.. Enumerable.Repeat(byte.MaxValue, 48)]);
        var config = PreprocessorConfig.ForSide(7) with { ShortestEdge = 4 };

        var crop = new ClipPreprocessor(config).ResizeAndCrop(white, ImageAspect.Square);

        int[] sums = [.. Enumerable.Range(0, 7).Select(y => crop.Pixels.Skip(y * 21).Take(21).Sum(value => value))];
        Assert.Equal([0, 0, 4 * 3 * 255, 4 * 3 * 255, 4 * 3 * 255, 4 * 3 * 255, 0], sums);
        Assert.Equal(0, crop.Pixels[(3 * 21) + 5]);
        Assert.Equal(255, crop.Pixels[(3 * 21) + 6]);
    }
}
