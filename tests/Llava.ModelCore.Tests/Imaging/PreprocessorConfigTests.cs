using Llava.ModelCore.Imaging;

namespace Llava.ModelCore.Tests.Imaging;

public sealed class PreprocessorConfigTests
{
    [Theory]
    [InlineData("""{"crop_size": 336, "size": 340, "resample": 3}""")]
    [InlineData("""{"crop_size": {"height": 336, "width": 336}, "size": {"shortest_edge": 340}}""")]
    public void Sizes_are_numbers_or_objects(string json)
    {
        var config = Load(json);

        Assert.Equal((336, 340), (config.CropSide, config.ShortestEdge));
    }

    [Fact]
    public void What_the_file_does_not_say_is_as_in_clip() => Assert.Equivalent(PreprocessorConfig.ForSide(224), Load("""{"crop_size": 224, "size": 224}"""));

    [Fact]
    public void Mean_deviation_and_factor_are_taken_from_the_file()
    {
        var config = Load("""{"crop_size": 2, "size": 2, "image_mean": [0.5, 0.25, 0], "image_std": [1, 2, 4], "rescale_factor": 0.5}""");

        var values = new ClipPreprocessor(config).Process(new RgbImage(2, 2, [.. Enumerable.Repeat((byte)4, 12)]), ImageAspect.Square);

        Assert.Equal([1.5f, 1.5f, 1.5f, 1.5f, 0.875f, 0.875f, 0.875f, 0.875f, 0.5f, 0.5f, 0.5f, 0.5f], values.Values);
    }

    [Theory]
    [InlineData("resample", """{"crop_size": 224, "size": 224, "resample": 2}""")]
    [InlineData("do_center_crop", """{"crop_size": 224, "size": 224, "do_center_crop": false}""")]
    [InlineData("crop_size", """{"crop_size": {"height": 224, "width": 336}, "size": 224}""")]
    [InlineData("crop_size", """{"size": 224}""")]
    [InlineData("size", """{"crop_size": 224, "size": {"height": 224, "width": 224}}""")]
    [InlineData("size", """{"crop_size": 224, "size": 0}""")]
    [InlineData("image_mean", """{"crop_size": 224, "size": 224, "image_mean": [0.5]}""")]
    [InlineData("file", """{"crop_size": """)]
    [InlineData("file", """{"crop_size": "big", "size": 224}""")]
    public void What_clip_does_not_do_is_refused_with_the_field(string field, string json) =>
        Assert.Contains(field, Assert.Throws<PreprocessorConfigException>(() => Load(json)).Message);

    private static PreprocessorConfig Load(string json)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("preprocessor_config.json"), json);
        return PreprocessorConfig.Load(folder.File("preprocessor_config.json"));
    }
}
