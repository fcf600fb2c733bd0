using Llava.ModelCore.Engine;
using Llava.ModelCore.Scenes;

namespace Llava.ModelCore.Evaluation;

/// <summary>
/// Accuracy on held-out scenes, measured as a user meets it: a PNG file and a question go in, the greedy text that comes out is compared
/// with the only right answer.
/// </summary>
public static class SceneBenchmark
{
    private const int AskedAtOnce = 64;
    private const int MaxNewTokens = 96;

    /// <summary>Asks one question of each kind on each scene.</summary>
    /// <param name="model">The model.</param>
    /// <param name="scenes">Held-out scenes.</param>
    /// <param name="maxObjects">Most objects in a scene.</param>
    /// <param name="side">Side of the drawn images, in pixels.</param>
    /// <param name="progress">Told the number of scenes done.</param>
    /// <param name="cancellationToken">Stops the asking.</param>
    public static async Task<SceneBenchmarkResult> RunAsync(
        LoadedModel model, int scenes, int maxObjects, int side, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        var outcomes = new List<SceneOutcome>();
        var done = 0;
        foreach (var block in Enumerable.Range(0, scenes).Chunk(Math.Max(1, AskedAtOnce / Enum.GetValues<SceneQuestionKind>().Length)))
        {
            var asked = block.SelectMany(i => Ask(model, Scene.FromSeed(Scene.FirstHeldOutSeed + i, maxObjects), side, cancellationToken)).ToList();
            outcomes.AddRange(await Task.WhenAll(asked));
            progress?.Report(done += block.Length);
        }

        return new SceneBenchmarkResult(outcomes);
    }

    private static IEnumerable<Task<SceneOutcome>> Ask(LoadedModel model, Scene scene, int side, CancellationToken cancellationToken)
    {
        var image = ScenePixels.Png(scene, side);
        return new SceneQuestions(scene).OneOfEach().Select(async question =>
        {
            var answer = await model.AnswerAsync(
                new Question { Text = question.Question, Images = [image], Sampling = new SamplingSettings { MaxNewTokens = MaxNewTokens } }, cancellationToken);
            return new SceneOutcome(scene, question, answer.Text);
        });
    }
}

/// <summary>One question with the model's answer.</summary>
/// <param name="Scene">What was drawn.</param>
/// <param name="Question">What was asked, and the right answer.</param>
/// <param name="Answer">What the model said.</param>
public sealed record SceneOutcome(Scene Scene, SceneQuestion Question, string Answer)
{
    /// <summary>Whether the answer is the right one, to the letter.</summary>
    public bool IsRight => Answer == Question.Answer;

    /// <summary>How many objects the answer names with the right colour and shape; a caption that names an object twice counts it once.</summary>
    public int ObjectsNamed => Scene.Objects
        .GroupBy(SceneLanguage.Name)
        .Sum(group => Math.Min(group.Count(), NamedTimes(group.Key, group.Count())));

    // "two red circles" names two of them.
    private int NamedTimes(string name, int count) =>
        count > 1 && Answer.Contains($"{SceneLanguage.Number(count)} {SceneLanguage.Plural(name)}", StringComparison.OrdinalIgnoreCase)
            ? count
            : Answer.Split(name, StringSplitOptions.None).Length - 1;
}

/// <summary>Scores by kind of question.</summary>
public sealed class SceneBenchmarkResult(IReadOnlyList<SceneOutcome> outcomes)
{
    /// <summary>Every question and answer.</summary>
    public IReadOnlyList<SceneOutcome> Outcomes => outcomes;

    /// <summary>Exact matches by kind: right and asked.</summary>
    public IReadOnlyDictionary<SceneQuestionKind, (int Right, int Asked)> ByKind { get; } = outcomes
        .GroupBy(o => o.Question.Kind)
        .OrderBy(g => g.Key)
        .ToDictionary(g => g.Key, g => (g.Count(o => o.IsRight), g.Count()));

    /// <summary>Share of the objects that captions name with the right colour.</summary>
    public double CaptionRecall
    {
        get
        {
            var captions = outcomes.Where(o => o.Question.Kind is SceneQuestionKind.Caption or SceneQuestionKind.DetailedCaption).ToList();
            return captions.Count == 0 ? 0 : (double)captions.Sum(o => o.ObjectsNamed) / captions.Sum(o => o.Scene.Objects.Count);
        }
    }
}
