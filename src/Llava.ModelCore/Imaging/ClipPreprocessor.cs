namespace Llava.ModelCore.Imaging;

/// <summary>CLIP's image processor as LLaVA uses it, bit for bit (spec 4.1 and 4.2). Immutable; safe for use by several threads.</summary>
public sealed class ClipPreprocessor
{
    private readonly PreprocessorConfig _config;
    private readonly byte[] _background;
    private readonly float[][] _normalized;

    /// <summary>Prepares the table of normalised values.</summary>
    public ClipPreprocessor(PreprocessorConfig config)
    {
        _config = config;
        _background = [.. config.Mean.Select(mean => (byte)(mean * byte.MaxValue))];
        _normalized = [.. config.Mean.Zip(config.StandardDeviation, (mean, deviation) => Normalize(config.RescaleFactor, (float)mean, (float)deviation))];
    }

    /// <summary>Side of the result, in pixels.</summary>
    public int Side => _config.CropSide;

    /// <summary>Decodes and prepares an image file.</summary>
    /// <exception cref="ImageException">The bytes are not a usable image.</exception>
    public PixelValues Process(byte[] encoded, ImageDecoder decoder, ImageAspect aspect) =>
        Process(decoder.Decode(encoded, _config.ShortestEdge), aspect);

    /// <summary>Prepares a decoded image.</summary>
    public PixelValues Process(RgbImage image, ImageAspect aspect)
    {
        var crop = ResizeAndCrop(image, aspect);
        var plane = Side * Side;
        var values = new float[RgbImage.Channels * plane];
        for (var channel = 0; channel < RgbImage.Channels; channel++)
        {
            var table = _normalized[channel];
            var target = values.AsSpan(channel * plane, plane);
            for (var pixel = 0; pixel < plane; pixel++)
            {
                target[pixel] = table[crop.Pixels[(pixel * RgbImage.Channels) + channel]];
            }
        }

        return new PixelValues(values, Side);
    }

    /// <summary>The 8-bit square before normalisation.</summary>
    internal RgbImage ResizeAndCrop(RgbImage image, ImageAspect aspect)
    {
        var longest = Math.Max(image.Width, image.Height);
        var (source, (width, height)) = aspect == ImageAspect.Pad
            ? (new PaddedImage(image, longest, longest, _background), (1, 1))
            : (new PaddedImage(image, image.Width, image.Height, _background), image.OriginalSize);
        var crop = BicubicResize.Resize(
            source,
            CenterWeights(source.Width, ScaledSide(width, height)),
            CenterWeights(source.Height, ScaledSide(height, width)));
        return crop.Width == Side && crop.Height == Side ? crop : PasteOnBlack(crop);
    }

    // The shortest side becomes the configured edge; the other is rounded down.
    private int ScaledSide(int side, int other) => (int)((long)_config.ShortestEdge * side / Math.Min(side, other));

    private ResizeWeights CenterWeights(int from, int to) => ResizeWeights.Compute(from, to, Math.Max(0, (to - Side) / 2), Math.Min(to, Side));

    // Only where the resized edge is shorter than the crop; of an odd number of lines the first end gets one more.
    private RgbImage PasteOnBlack(RgbImage image)
    {
        var pixels = new byte[Side * Side * RgbImage.Channels];
        var (left, top) = ((Side - image.Width + 1) / 2, (Side - image.Height + 1) / 2);
        var row = image.Width * RgbImage.Channels;
        for (var y = 0; y < image.Height; y++)
        {
            Array.Copy(image.Pixels, y * row, pixels, (((top + y) * Side) + left) * RgbImage.Channels, row);
        }

        return new RgbImage(Side, Side, pixels);
    }

    // Upstream multiplies in double, rounds to float32, and goes on in float32.
    private static float[] Normalize(double factor, float mean, float deviation) =>
        [.. Enumerable.Range(0, byte.MaxValue + 1).Select(value => ((float)(value * factor) - mean) / deviation)];
}
