using System.Globalization;
using System.Text.Json;

namespace Llava.ModelCore.Scenes;

/// <summary>Files to fine-tune the shipped model with, and to ask afterwards: the new kind of question among those that it knows.</summary>
public static class SceneRows
{
    /// <summary>Name of the file of rows to learn from.</summary>
    public const string RowFile = "rows.jsonl";

    /// <summary>Name of the file of questions with their answers, on scenes that no row shows.</summary>
    public const string QuestionFile = "questions.jsonl";

    // Far from the seeds that the shipped model learnt from, and from those that are held out.
    private const long FirstSeed = 500_000_000_000_000;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Writes rows in LLaVA's conversations: on each scene all questions of the new kind and some of the old ones, in any order.</summary>
    /// <param name="folder">Gets the images and <see cref="RowFile"/>; made if missing.</param>
    /// <param name="rows">How many.</param>
    /// <param name="known">Questions of known kinds in each.</param>
    /// <param name="maxObjects">Most objects in a scene, at least 2.</param>
    /// <param name="side">Side of the images, in pixels.</param>
    public static void Write(string folder, int rows, int known, int maxObjects, int side)
    {
        Directory.CreateDirectory(folder);
        using var file = new StreamWriter(Path.Combine(folder, RowFile)) { NewLine = "\n" };
        foreach (var (index, (scene, _)) in Asked(FirstSeed, maxObjects).Take(rows).Index())
        {
            var image = Save(scene, folder, side, "row", index);
            var random = SceneRandom.For(scene.Seed, SceneRandom.Purpose.Batch);
            var others = new SceneQuestions(scene).OneOfEach().ToArray();
            random.Shuffle(others);
            var turns = others.Take(known).Select(other => (other.Question, other.Answer)).Concat(SameRowQuestions.All(scene)).ToArray();
            random.Shuffle(turns);
            file.WriteLine(JsonSerializer.Serialize(new
            {
                id = image,
                image,
                conversations = turns.SelectMany((turn, i) => new[] { new { from = "human", value = (i == 0 ? "<image>\n" : "") + turn.Question }, new { from = "gpt", value = turn.Answer } }),
            }));
        }
    }

    /// <summary>Writes questions of the new kind and of all known ones, with their answers, on held-out scenes.</summary>
    /// <param name="folder">Gets the images and <see cref="QuestionFile"/>; made if missing.</param>
    /// <param name="scenes">How many scenes; each has a question of the new kind.</param>
    /// <param name="maxObjects">Most objects in a scene, at least 2.</param>
    /// <param name="side">Side of the images, in pixels.</param>
    public static void WriteQuestions(string folder, int scenes, int maxObjects, int side)
    {
        Directory.CreateDirectory(folder);
        using var file = new StreamWriter(Path.Combine(folder, QuestionFile)) { NewLine = "\n" };
        var id = 0;
        foreach (var (index, (scene, question)) in Asked(Scene.FirstHeldOutSeed, maxObjects).Take(scenes).Index())
        {
            var image = Save(scene, folder, side, "asked", index);
            var known = new SceneQuestions(scene).OneOfEach().Select(one => (one.Question, Category: one.Kind.ToString().ToLowerInvariant(), one.Answer));
            foreach (var (text, category, answer) in known.Append((question.Question, SameRowQuestions.Category, question.Answer)))
            {
                file.WriteLine(JsonSerializer.Serialize(new SceneSample(id++, image, text, category, answer), Json));
            }
        }
    }

    /// <summary>Scenes that the new kind can be asked of, every other one with the answer "yes".</summary>
    private static IEnumerable<(Scene Scene, (string Question, string Answer) Question)> Asked(long firstSeed, int maxObjects)
    {
        var wanted = true;
        for (var seed = firstSeed; ; seed++)
        {
            var scene = Scene.FromSeed(seed, maxObjects);
            var found = SameRowQuestions.All(scene).Where(question => question.Answer == SameRowQuestions.Word(wanted)).Take(1).ToList();
            if (found is [var question])
            {
                yield return (scene, question);
                wanted = !wanted;
            }
        }
    }

    private static string Save(Scene scene, string folder, int side, string kind, int index)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{kind}-{index:00000}.png");
        File.WriteAllBytes(Path.Combine(folder, name), ScenePixels.Png(scene, side));
        return name;
    }
}
