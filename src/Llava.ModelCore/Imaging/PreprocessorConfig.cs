using System.Globalization;
using System.Text.Json;

namespace Llava.ModelCore.Imaging;

/// <summary>How images are prepared for a vision tower, as <c>preprocessor_config.json</c> says it (spec 4.1).</summary>
public sealed record PreprocessorConfig
{
    private const int Bicubic = 3;

    /// <summary>Pixels of the shortest edge after resizing.</summary>
    public required int ShortestEdge { get; init; }

    /// <summary>Side of the centre crop, in pixels: what the vision tower gets.</summary>
    public required int CropSide { get; init; }

    /// <summary>Factor on the 8-bit values. Default 1/255.</summary>
    public double RescaleFactor { get; init; } = 1.0 / 255;

    /// <summary>What is subtracted from red, green and blue. Default CLIP's mean.</summary>
    public IReadOnlyList<double> Mean { get; init; } = [0.48145466, 0.4578275, 0.40821073];

    /// <summary>What red, green and blue are then divided by. Default CLIP's standard deviation.</summary>
    public IReadOnlyList<double> StandardDeviation { get; init; } = [0.26862954, 0.26130258, 0.27577711];

    /// <summary>CLIP's own settings, for a tower without a file.</summary>
    /// <param name="side">Side of the tower's input, in pixels.</param>
    public static PreprocessorConfig ForSide(int side) => new() { ShortestEdge = side, CropSide = side };

    /// <summary>Reads a <c>preprocessor_config.json</c>; sizes may be numbers or objects, as older and newer files have them.</summary>
    /// <exception cref="PreprocessorConfigException">The file cannot be read or asks for something else than CLIP's steps.</exception>
    public static PreprocessorConfig Load(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return Parse(document.RootElement, path);
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException or InvalidOperationException or FormatException)
        {
            throw new PreprocessorConfigException($"Cannot read the image settings '{path}': {exception.Message} Copy the file from the original model.", exception);
        }
    }

    private static PreprocessorConfig Parse(JsonElement root, string path)
    {
        foreach (var step in (ReadOnlySpan<string>)["do_resize", "do_center_crop", "do_rescale", "do_normalize"])
        {
            Require(!root.TryGetProperty(step, out var value) || value.GetBoolean(), path, step, "false", "true");
        }

        var resample = root.TryGetProperty("resample", out var filter) ? filter.GetInt32() : Bicubic;
        Require(resample == Bicubic, path, "resample", resample.ToString(CultureInfo.InvariantCulture), "3 (bicubic)");
        var crop = Side(root, "crop_size", "height", path);
        Require(Side(root, "crop_size", "width", path) == crop, path, "crop_size", "not square", "a square");
        var config = ForSide(crop) with { ShortestEdge = Side(root, "size", "shortest_edge", path) };
        return config with
        {
            RescaleFactor = root.TryGetProperty("rescale_factor", out var factor) ? factor.GetDouble() : config.RescaleFactor,
            Mean = Triple(root, "image_mean", path) ?? config.Mean,
            StandardDeviation = Triple(root, "image_std", path) ?? config.StandardDeviation,
        };
    }

    private static int Side(JsonElement root, string name, string part, string path)
    {
        Require(root.TryGetProperty(name, out var size), path, name, "missing", "a number");
        var isNumber = size.ValueKind == JsonValueKind.Number || size.TryGetProperty(part, out size);
        Require(isNumber, path, name, $"without {part}", $"a number or an object with {part}");
        var side = size.GetInt32();
        Require(side is > 0 and <= 4096, path, name, side.ToString(CultureInfo.InvariantCulture), "1 to 4096");
        return side;
    }

    private static double[]? Triple(JsonElement root, string name, string path)
    {
        if (!root.TryGetProperty(name, out var list))
        {
            return null;
        }

        double[] values = [.. list.EnumerateArray().Select(value => value.GetDouble())];
        Require(values.Length == RgbImage.Channels, path, name, $"a list of {values.Length}", "a list of 3");
        return values;
    }

    private static void Require(bool condition, string path, string field, string found, string supported)
    {
        if (!condition)
        {
            throw new PreprocessorConfigException($"Cannot use the image settings '{path}': {field} is {found}, and it must be {supported}.");
        }
    }
}
