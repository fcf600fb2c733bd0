using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Llava.ModelCore.Scenes;

/// <summary>A question of a set on disk, in the fields of LLaVA's question files; the right answer stands beside it.</summary>
/// <param name="QuestionId">Number in the set, from 0.</param>
/// <param name="Image">File name of the image.</param>
/// <param name="Text">The question.</param>
/// <param name="Category">What it is about: the kind in lower case.</param>
/// <param name="Answer">The only right answer.</param>
public sealed record SceneSample(int QuestionId, string Image, string Text, string Category, string Answer);

/// <summary>Writes scenes and questions as files, for samples and for evaluation.</summary>
public static class SceneSamples
{
    /// <summary>Name of the question file.</summary>
    public const string QuestionFile = "questions.jsonl";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes held-out scenes as PNG files and one question of each kind on each of them.</summary>
    /// <param name="folder">Made if missing.</param>
    /// <param name="scenes">How many scenes.</param>
    /// <param name="maxObjects">Most objects in a scene.</param>
    /// <param name="side">Side of the images, in pixels.</param>
    public static void Write(string folder, int scenes, int maxObjects, int side)
    {
        Directory.CreateDirectory(folder);
        using var questions = new StreamWriter(Path.Combine(folder, QuestionFile)) { NewLine = "\n" };
        foreach (var (scene, name) in HeldOut(scenes, maxObjects))
        {
            File.WriteAllBytes(Path.Combine(folder, name), ScenePixels.Png(scene, side));
        }

        foreach (var sample in Questions(scenes, maxObjects))
        {
            questions.WriteLine(JsonSerializer.Serialize(sample, Json));
        }
    }

    /// <summary>The questions of <see cref="Write"/>, in the order of the file.</summary>
    public static IEnumerable<SceneSample> Questions(int scenes, int maxObjects) => HeldOut(scenes, maxObjects)
        .SelectMany(s => new SceneQuestions(s.Scene).OneOfEach().Select(q => (s.Name, Question: q)))
        .Select((s, i) => new SceneSample(i, s.Name, s.Question.Question, s.Question.Kind.ToString().ToLowerInvariant(), s.Question.Answer));

    private static IEnumerable<(Scene Scene, string Name)> HeldOut(int count, int maxObjects) => Enumerable.Range(0, count).Select(i =>
        (Scene.FromSeed(Scene.FirstHeldOutSeed + i, maxObjects), string.Create(CultureInfo.InvariantCulture, $"scene-{i:0000}.png")));
}
