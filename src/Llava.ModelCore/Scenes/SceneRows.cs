using System.Globalization;
using System.Text.Json;

namespace Llava.ModelCore.Scenes;

/// <summary>Files to fine-tune the shipped model with, and to ask afterwards: questions about a new shape among those that it knows.</summary>
public static class SceneRows
{
    /// <summary>Name of the file of rows to learn from.</summary>
    public const string RowFile = "rows.jsonl";

    /// <summary>Name of the file of questions with their answers, on scenes that no row shows.</summary>
    public const string QuestionFile = "questions.jsonl";

    // Far from the seeds that the shipped model learnt from, and from those that are held out.
    private const long FirstSeed = 500_000_000_000_000;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Writes rows in LLaVA's conversations: every other scene has a diamond and all questions about it, all have questions of known kinds among them.</summary>
    /// <param name="folder">Gets the images and <see cref="RowFile"/>; made if missing.</param>
    /// <param name="rows">How many.</param>
    /// <param name="known">Questions of known kinds in each.</param>
    /// <param name="maxObjects">Most objects in a scene.</param>
    /// <param name="side">Side of the images, in pixels.</param>
    public static void Write(string folder, int rows, int known, int maxObjects, int side)
    {
        Directory.CreateDirectory(folder);
        using var file = new StreamWriter(Path.Combine(folder, RowFile)) { NewLine = "\n" };
        for (var row = 0; row < rows; row++)
        {
            var drawn = Scene.FromSeed(FirstSeed + row, maxObjects);
            var scene = row % 2 == 0 ? DiamondQuestions.WithDiamond(drawn) : drawn;
            var image = Save(scene, folder, side, "row", row);
            var random = SceneRandom.For(scene.Seed, SceneRandom.Purpose.Batch);
            var others = new SceneQuestions(scene).OneOfEach().ToArray();
            random.Shuffle(others);
            var turns = others.Take(known).Select(other => (other.Question, other.Answer)).Concat(DiamondQuestions.All(scene)).ToArray();
            random.Shuffle(turns);
            file.WriteLine(JsonSerializer.Serialize(new
            {
                id = image,
                image,
                conversations = turns.SelectMany((turn, i) => new[] { new { from = "human", value = (i == 0 ? "<image>\n" : "") + turn.Question }, new { from = "gpt", value = turn.Answer } }),
            }));
        }
    }

    /// <summary>Writes questions of all known kinds on held-out scenes, and one about a diamond on the same scene with one, with their answers.</summary>
    /// <param name="folder">Gets the images and <see cref="QuestionFile"/>; made if missing.</param>
    /// <param name="scenes">How many scenes.</param>
    /// <param name="maxObjects">Most objects in a scene.</param>
    /// <param name="side">Side of the images, in pixels.</param>
    public static void WriteQuestions(string folder, int scenes, int maxObjects, int side)
    {
        Directory.CreateDirectory(folder);
        using var file = new StreamWriter(Path.Combine(folder, QuestionFile)) { NewLine = "\n" };
        var id = 0;
        for (var index = 0; index < scenes; index++)
        {
            var scene = Scene.FromSeed(Scene.FirstHeldOutSeed + index, maxObjects);
            var image = Save(scene, folder, side, "asked", index);
            foreach (var one in new SceneQuestions(scene).OneOfEach())
            {
                Write(image, one.Question, one.Kind.ToString().ToLowerInvariant(), one.Answer);
            }

            // One after the other, and as often as each of them the question about one that is not there.
            var questions = DiamondQuestions.All(DiamondQuestions.WithDiamond(scene));
            var (question, answer) = index % (questions.Count + 1) is var asked && asked < questions.Count ? questions[asked] : DiamondQuestions.All(scene)[0];
            Write(asked < questions.Count ? Save(DiamondQuestions.WithDiamond(scene), folder, side, "diamond", index) : image, question, DiamondQuestions.Category, answer);
        }

        void Write(string image, string text, string category, string answer) =>
            file.WriteLine(JsonSerializer.Serialize(new SceneSample(id++, image, text, category, answer), Json));
    }

    private static string Save(Scene scene, string folder, int side, string kind, int index)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{kind}-{index:00000}.png");
        File.WriteAllBytes(Path.Combine(folder, name), ScenePixels.Png(scene, side));
        return name;
    }
}
