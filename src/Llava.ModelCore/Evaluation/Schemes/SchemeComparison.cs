using Llava.ModelCore.Engine;
using Llava.ModelCore.Quantization;
using Llava.ModelCore.Scenes;

namespace Llava.ModelCore.Evaluation.Schemes;

/// <summary>How much is compared.</summary>
public sealed record SchemeComparisonSettings
{
    /// <summary>Schemes beside the weights as they are.</summary>
    public IReadOnlyList<QuantizationScheme> Schemes { get; init; } = [QuantizationScheme.Int8, QuantizationScheme.Int4, QuantizationScheme.Nf4, QuantizationScheme.LlmInt8];

    /// <summary>Held-out scenes whose questions are asked for the accuracy.</summary>
    public int Scenes { get; init; } = 250;

    /// <summary>Of these, scenes whose questions are asked for the logits: those of every token are kept in memory.</summary>
    public int LogitScenes { get; init; } = 20;

    /// <summary>Most objects in a scene.</summary>
    public int MaxObjects { get; init; } = 3;

    /// <summary>Side of the drawn images, in pixels.</summary>
    public int Side { get; init; } = 224;
}

/// <summary>
/// Compares a checkpoint with itself quantized: logits at the tokens of the answers that the weights as they are give, and right answers on held-out
/// scenes. One model is in memory at a time.
/// </summary>
public static class SchemeComparison
{
    private const int MaxNewTokens = 32;

    /// <summary>Measures the weights as they are first, then scheme by scheme.</summary>
    /// <param name="load">Loads the checkpoint with a scheme.</param>
    /// <param name="settings">How much is compared.</param>
    /// <param name="progress">Told of each scheme that is begun, and the scenes of it that are done.</param>
    /// <param name="cancellationToken">Stops between two questions.</param>
    public static async IAsyncEnumerable<SchemeFigures> RunAsync(
        Func<QuantizationScheme, LoadedModel> load,
        SchemeComparisonSettings settings,
        IProgress<(QuantizationScheme Scheme, int Scenes)>? progress = null,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var questions = Questions(settings);
        IReadOnlyList<AnswerRows>? reference = null;
        foreach (var scheme in (IEnumerable<QuantizationScheme>)[QuantizationScheme.None, .. settings.Schemes.Where(scheme => scheme != QuantizationScheme.None)])
        {
            progress?.Report((scheme, 0));
            await using var model = load(scheme);
            AnswerLogits logits = new(model);
            reference ??= await logits.OfOwnAsync(questions, cancellationToken);
            var distance = Compare(reference, scheme == QuantizationScheme.None ? reference : await logits.OfGivenAsync(questions, reference, cancellationToken));
            var asked = await SceneBenchmark.RunAsync(model, settings.Scenes, settings.MaxObjects, settings.Side, Told(scheme), cancellationToken);
            yield return new()
            {
                Scheme = scheme,
                WeightBytes = model.Memory.Weights,
                Tokens = distance.Rows,
                LogitError = distance.Error,
                Divergence = distance.Divergence,
                GreedyAgreement = distance.Agreement,
                Right = asked.Outcomes.Count(outcome => outcome.IsRight),
                Asked = asked.Outcomes.Count,
                ObjectsNamed = asked.CaptionRecall,
            };
        }

        Progress<int>? Told(QuantizationScheme scheme) => progress is null ? null : new(done => progress.Report((scheme, done)));
    }

    private static List<Question> Questions(SchemeComparisonSettings settings) =>
    [
        .. Enumerable.Range(0, settings.LogitScenes).Select(i => Scene.FromSeed(Scene.FirstHeldOutSeed + i, settings.MaxObjects)).SelectMany(scene =>
        {
            var image = ScenePixels.Png(scene, settings.Side);
            return new SceneQuestions(scene).OneOfEach()
                .Select(asked => new Question { Text = asked.Question, Images = [image], Sampling = new SamplingSettings { MaxNewTokens = MaxNewTokens } });
        }),
    ];

    private static LogitDistance Compare(IReadOnlyList<AnswerRows> reference, IReadOnlyList<AnswerRows> other)
    {
        LogitDistance distance = new();
        foreach (var (expected, actual) in reference.Zip(other))
        {
            for (var i = 0; i < expected.Logits.Count; i++)
            {
                distance.Add(expected.Logits[i], actual.Logits[i]);
            }
        }

        return distance;
    }
}
