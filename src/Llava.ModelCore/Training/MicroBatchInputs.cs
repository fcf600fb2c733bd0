using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>A micro-batch as the decoder takes it: its samples packed one behind the other, with their images in place.</summary>
/// <param name="Embeddings">(tokens, hidden); its graph leads to the embedding table and the projector where these learn.</param>
/// <param name="Lengths">Tokens of each sample.</param>
/// <param name="Predictors">int64 (targets): the token that predicts each target.</param>
/// <param name="Targets">int64 (targets): ids that are learned.</param>
internal sealed record MicroBatchInputs(Tensor Embeddings, IReadOnlyList<int> Lengths, Tensor Predictors, Tensor Targets)
{
    /// <summary>Tokens in all.</summary>
    public int Tokens => Lengths.Sum();

    /// <summary>int64 (tokens): the position of each token in its own sample.</summary>
    public Tensor Positions() => tensor(Lengths.SelectMany(length => Enumerable.Range(0, length)).Select(position => (long)position).ToArray()).Upload(Embeddings.device);

    /// <summary>Embeds and packs a micro-batch; the vision tower is run without gradients.</summary>
    /// <exception cref="TrainingException">Nothing in it is learned, or a row does not fit its image; the message names the samples.</exception>
    public static MicroBatchInputs Of(LlavaModel model, TrainingBatch batch)
    {
        var sequences = Sequences(model, batch);
        var (predictors, targets, start) = (new List<long>(), new List<long>(), 0);
        foreach (var sequence in sequences)
        {
            // Nothing predicts the first token.
            for (var at = 1; at < sequence.Length; at++)
            {
                if (sequence.Labels![at] != PromptEmbedder.IgnoredLabel)
                {
                    predictors.Add(start + at - 1);
                    targets.Add(sequence.Labels[at]);
                }
            }

            start += sequence.Length;
        }

        if (targets.Count == 0)
        {
            throw new TrainingException($"No token is learned in the micro-batch of {batch.Names}; its loss would be NaN. Check these samples against the template, or skip bad samples.");
        }

        var device = model.Language.Device;
        return new(
            cat(sequences.Select(sequence => sequence.Embeddings).ToArray(), 0),
            [.. sequences.Select(sequence => sequence.Length)],
            tensor(predictors.ToArray()).Upload(device),
            tensor(targets.ToArray()).Upload(device));
    }

    private static List<SplicedSequence> Sequences(LlavaModel model, TrainingBatch batch)
    {
        PromptEmbedder embedder = new(model.Language);
        var rows = Enumerable.Range(0, batch.Samples.Count).ToList();
        // A row whose placeholder was cut off is a text row.
        var shown = rows.Where(row => batch.Samples[row].Image is not null && batch.Row(row).Ids.Contains(ImagePlaceholder.TokenId)).ToList();
        var images = shown.Count == 0 ? null : model.Projector.call(Features(model, batch, shown));
        var contents = rows.ConvertAll(batch.Row);
        var words = Words(model.Language, contents.ConvertAll(content => content.Ids));
        return rows.ConvertAll(row =>
        {
            var (ids, labels) = contents[row];
            var at = shown.IndexOf(row);
            try
            {
                return embedder.Embed(ids, at < 0 ? [] : [images![at]], labels, model.Config.MaxSplicedPositions, words[row]);
            }
            catch (PromptException e)
            {
                throw new TrainingException($"{batch.Samples[row].Name} cannot be embedded: {e.Message}", e);
            }
        });
    }

    /// <summary>Each row's ids without placeholders, all in one copy.</summary>
    private static Tensor[] Words(LanguageModel language, List<List<int>> rows)
    {
        var words = rows.ConvertAll(ids => ids.Where(id => id != ImagePlaceholder.TokenId).Select(id => (long)id).ToArray());
        return tensor(words.SelectMany(ids => ids).ToArray()).Upload(language.Device).split([.. words.Select(ids => (long)ids.Length)]);
    }

    private static Tensor Features(LlavaModel model, TrainingBatch batch, List<int> rows)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var pixels = stack(rows.Select(row => tensor(batch.Images[row]).view(3, batch.ImageSide, batch.ImageSide)), 0);
        return model.Vision.call(pixels.Upload(model.Language.Device)).MoveToOuterDisposeScope();
    }
}
