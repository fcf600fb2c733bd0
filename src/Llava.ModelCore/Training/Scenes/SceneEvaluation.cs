using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Scenes;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>Right and asked, of one kind of question.</summary>
/// <param name="Right">Questions whose whole answer is right.</param>
/// <param name="Asked">Questions.</param>
public sealed record SceneScore(int Right, int Asked)
{
    /// <summary>Right answers per question.</summary>
    public double Share => (double)Right / Asked;
}

/// <summary>Scores a model on held-out scenes.</summary>
public static class SceneEvaluation
{
    private const int BatchSize = 16;

    /// <summary>
    /// Exact match by kind, read off one pass over the right answers: an answer counts when each of its tokens and the end
    /// token is the most likely one, which is when greedy decoding gives exactly this answer.
    /// </summary>
    public static IReadOnlyDictionary<SceneQuestionKind, SceneScore> TeacherForced(LlavaModel model, SceneTokenizer tokenizer, int scenes, int maxObjects)
    {
        using var withoutGradients = no_grad();
        var results = new List<(SceneQuestionKind Kind, bool IsRight)>();
        for (var first = 0; first < scenes; first += BatchSize)
        {
            var chunk = Enumerable.Range(first, Math.Min(BatchSize, scenes - first)).Select(i => Scene.FromSeed(Scene.FirstHeldOutSeed + i, maxObjects));
            using var scope = NewDisposeScope();
            using var batch = StarBatch.OneOfEach([.. chunk], tokenizer, model.Vision.Config);
            var isRight = Logits(model, batch).argmax(-1).eq(batch.Targets).data<bool>().ToArray();
            var wrong = batch.QuestionOf.Where((_, i) => !isRight[i]).ToHashSet();
            results.AddRange(batch.Questions.Select((q, i) => (q.Kind, !wrong.Contains(i))));
        }

        return results.GroupBy(r => r.Kind).OrderBy(g => g.Key).ToDictionary(g => g.Key, g => new SceneScore(g.Count(r => r.IsRight), g.Count()));
    }

    /// <summary>Logits (predictions, vocabulary) of a batch's answer tokens; no gradient reaches the vision tower.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batch">What to answer.</param>
    /// <param name="observe">Called with (layer index, output of that layer) after every layer of the language model but the last.</param>
    internal static Tensor Logits(LlavaModel model, StarBatch batch, Action<int, Tensor>? observe = null)
    {
        Tensor features;
        using (no_grad())
        {
            features = model.Vision.call(batch.Pixels);
        }

        var image = model.Projector.call(features).to(ScalarType.Float32);
        var text = model.Language.Embed(batch.Ids.flatten()).view(batch.Count, batch.Length, -1);
        var behind = batch.ImageAt + image.shape[1];
        var embeddings = cat([text.narrow(1, 0, batch.ImageAt), image, text.narrow(1, behind, batch.Length - behind)], 1);
        var attention = new PaddedAttention(batch.Count, batch.Mask(ScalarType.Float32));
        var hidden = model.Language.Forward(embeddings.flatten(0, 1), batch.Positions, batch.Length, attention, observe, batch.PredictedAt);
        return model.Language.Logits(hidden);
    }
}
