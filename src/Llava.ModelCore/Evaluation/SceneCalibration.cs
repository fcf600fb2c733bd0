using System.Globalization;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Alternatives;
using Llava.ModelCore.Scenes;

namespace Llava.ModelCore.Evaluation;

/// <summary>
/// Whether a model's confidence can be believed: questions on held-out scenes whose answers can be counted up, each answered by scoring all of them.
/// </summary>
public static class SceneCalibration
{
    private const int AskedAtOnce = 8;

    private static readonly SceneQuestionKind[] Kinds =
    [
        SceneQuestionKind.Color, SceneQuestionKind.Shape, SceneQuestionKind.Count, SceneQuestionKind.Existence, SceneQuestionKind.Position, SceneQuestionKind.Relation, SceneQuestionKind.Background,
    ];

    /// <summary>Asks questions on held-out scenes until there are enough.</summary>
    /// <param name="model">The model.</param>
    /// <param name="questions">How many.</param>
    /// <param name="firstScene">Held-out scenes to leave out before the first.</param>
    /// <param name="maxObjects">Most objects in a scene, 1 to 9.</param>
    /// <param name="side">Side of the drawn images, in pixels.</param>
    /// <param name="progress">Told the number of questions done.</param>
    /// <param name="cancellationToken">Stops the asking.</param>
    public static async Task<IReadOnlyList<ScoredQuestion>> AskAsync(
        LoadedModel model, int questions, long firstScene, int maxObjects, int side, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        List<ScoredQuestion> asked = [];
        foreach (var block in Questions(firstScene, maxObjects).Take(questions).Chunk(AskedAtOnce))
        {
            asked.AddRange(await Task.WhenAll(block.Select(one => AskAsync(model, one.Scene, one.Question, side, cancellationToken))));
            progress?.Report(asked.Count);
        }

        return asked;
    }

    /// <summary>The temperature that makes the right answers likeliest (temperature scaling); 1 changes nothing, more makes the model less sure.</summary>
    public static double FitTemperature(IReadOnlyList<ScoredQuestion> questions)
    {
        // The loss has one minimum in the logarithm of the temperature: golden section search.
        var (low, high) = (Math.Log(0.1), Math.Log(10));
        var ratio = (Math.Sqrt(5) - 1) / 2;
        while (high - low > 1e-4)
        {
            var (left, right) = (high - (ratio * (high - low)), low + (ratio * (high - low)));
            (low, high) = Loss(questions, Math.Exp(left)) < Loss(questions, Math.Exp(right)) ? (low, right) : (left, high);
        }

        return Math.Exp((low + high) / 2);
    }

    /// <summary>Mean negative log-probability of the right answers at a temperature.</summary>
    public static double Loss(IReadOnlyList<ScoredQuestion> questions, double temperature) => questions.Average(question => question.Loss(temperature));

    private static IEnumerable<(Scene Scene, SceneQuestion Question)> Questions(long firstScene, int maxObjects)
    {
        for (var seed = Scene.FirstHeldOutSeed + firstScene; ; seed++)
        {
            var scene = Scene.FromSeed(seed, maxObjects);
            foreach (var question in new SceneQuestions(scene).OneOfEach().Where(question => Kinds.Contains(question.Kind)))
            {
                yield return (scene, question);
            }
        }
    }

    private static async Task<ScoredQuestion> AskAsync(LoadedModel model, Scene scene, SceneQuestion question, int side, CancellationToken cancellationToken)
    {
        var answer = await model.AnswerAsync(
            new Question { Text = question.Question, Images = [ScenePixels.Png(scene, side)], Alternatives = Answers(question.Kind) }, cancellationToken);
        return new(question, answer.Alternatives!);
    }

    private static IReadOnlyList<string> Answers(SceneQuestionKind kind) => kind switch
    {
        SceneQuestionKind.Background => [.. Enum.GetValues<SceneBackground>().Select(SceneLanguage.Word)],
        SceneQuestionKind.Color => [.. Enum.GetValues<SceneColor>().Select(SceneLanguage.Word)],
        SceneQuestionKind.Shape => [.. SceneShapes.Known.Select(SceneLanguage.Word)],
        SceneQuestionKind.Count => [.. Enumerable.Range(0, 10).Select(count => count.ToString(CultureInfo.InvariantCulture))],
        SceneQuestionKind.Position => [.. Enumerable.Range(0, 9).Select(SceneLanguage.Place)],
        _ => ["yes", "no"],
    };
}

/// <summary>A question with what the model thinks of each of its possible answers.</summary>
/// <param name="Question">The question and its right answer.</param>
/// <param name="Alternatives">The answers there are.</param>
public sealed record ScoredQuestion(SceneQuestion Question, IReadOnlyList<Alternative> Alternatives)
{
    /// <summary>Whether the likeliest answer is the right one.</summary>
    public bool IsRight => Alternatives.MaxBy(alternative => alternative.LogProbability)!.Text == Question.Answer;

    /// <summary>How sure the model says that it is.</summary>
    public double Confidence => Alternatives.MaxBy(alternative => alternative.LogProbability)!.Probability;

    /// <summary>How sure it would be at another temperature.</summary>
    public double ConfidenceAt(double temperature) => 1 / Alternatives.Sum(one => Math.Exp((one.LogProbability - Alternatives.Max(other => other.LogProbability)) / temperature));

    internal double Loss(double temperature)
    {
        var right = Alternatives.First(one => one.Text == Question.Answer).LogProbability;
        return Math.Log(Alternatives.Sum(one => Math.Exp((one.LogProbability - right) / temperature)));
    }
}
