using Llava.ModelCore.Scenes;
using Llava.Testing;

namespace Llava.ModelCore.Tests.Scenes;

/// <summary>The sample questions are what <c>llava scenes draw</c> asks today, so that their answers are right by construction.</summary>
public sealed class SampleFilesTests : IDisposable
{
    private const int Side = 224;
    private const int MaxObjects = 3;

    private readonly DirectoryInfo _drawn = Directory.CreateTempSubdirectory("llava-samples-");

    public void Dispose() => _drawn.Delete(recursive: true);

    [Fact]
    public void The_sample_questions_are_asked_by_this_code()
    {
        var images = Directory.GetFiles(Repository.Path("samples", "images"));

        SceneSamples.Write(_drawn.FullName, images.Length, MaxObjects, Side);

        Assert.Equal(File.ReadAllLines(Path.Combine(_drawn.FullName, SceneSamples.QuestionFile)), File.ReadAllLines(Repository.Path("samples", SceneSamples.QuestionFile)));
        Assert.Equal(images.Select(Path.GetFileName).Order(StringComparer.Ordinal), Directory.GetFiles(_drawn.FullName, "*.png").Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }
}
