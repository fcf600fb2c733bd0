using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>
/// Loss and gradients of a micro-batch through torch's autograd: next-token cross-entropy, the mean over all labels of the
/// micro-batch, logits in float32 and only where a label is (spec 1.11). The vision tower is run without gradients.
/// </summary>
/// <param name="model">Its trainable parameters must have gradients; they are added to.</param>
public sealed class AutogradPass(LlavaModel model)
{
    private readonly PromptEmbedder _embedder = new(model.Language);

    /// <summary>Adds <paramref name="weight"/> times the gradient of the loss to the gradients.</summary>
    /// <returns>The loss, unweighted, the size of the micro-batch, and how much of it was known already.</returns>
    /// <exception cref="TrainingException">
    /// Nothing in the micro-batch is learned, a row does not fit its image, or the loss is not finite; the message names the samples.
    /// </exception>
    public MicroBatchLoss Accumulate(TrainingBatch batch, double weight)
    {
        using var scope = NewDisposeScope();
        var (loss, measured) = Forward(batch);
        if (!double.IsFinite(measured.Value))
        {
            throw new TrainingException($"The loss is {measured.Value} on the micro-batch of {batch.Names}. Lower the learning rate, or look at these samples' images and at the base checkpoint's weights.");
        }

        // An alignment micro-batch of text-only samples touches nothing that is trained.
        if (loss.requires_grad)
        {
            loss.mul(Scalars.Of(weight)).backward();
        }

        return measured;
    }

    /// <summary>The loss alone; no gradient is touched.</summary>
    /// <exception cref="TrainingException">Nothing in the micro-batch is learned, or a row does not fit its image; the message names the samples.</exception>
    public MicroBatchLoss Measure(TrainingBatch batch)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        model.eval();
        try
        {
            return Forward(batch).Measured;
        }
        finally
        {
            model.train();
        }
    }

    private (Tensor Loss, MicroBatchLoss Measured) Forward(TrainingBatch batch)
    {
        var sequences = Sequences(batch);
        var spliced = SplicedBatch.Pad(sequences, PaddingSide.Right);
        var next = spliced.Labels!.narrow(1, 1, spliced.Labels.shape[1] - 1).flatten();
        var learned = next.ne(Scalars.Of(PromptEmbedder.IgnoredLabel)).nonzero().squeeze(1);
        if (learned.shape[0] == 0)
        {
            throw new TrainingException($"No token is learned in the micro-batch of {batch.Names}; its loss would be NaN. Check these samples against the template, or skip bad samples.");
        }

        var hidden = spliced.Run(model.Language);
        var predictors = hidden.narrow(1, 0, hidden.shape[1] - 1).flatten(0, 1).index_select(0, learned);
        var (logits, targets) = (model.Language.Logits(predictors), next.index_select(0, learned));
        var loss = nn.functional.cross_entropy(logits, targets);
        var correct = logits.detach().argmax(-1).eq(targets).sum().item<long>();
        return (loss, new MicroBatchLoss(loss.item<float>(), sequences.Sum(sequence => sequence.Length), (int)learned.shape[0], (int)correct));
    }

    private List<SplicedSequence> Sequences(TrainingBatch batch)
    {
        var rows = Enumerable.Range(0, batch.Samples.Count).ToList();
        // A row whose placeholder was cut off is a text row.
        var shown = rows.Where(row => batch.Samples[row].Image is not null && batch.Row(row).Ids.Contains(ImagePlaceholder.TokenId)).ToList();
        var images = shown.Count == 0 ? null : model.Projector.call(Features(batch, shown));
        return rows.ConvertAll(row =>
        {
            var (ids, labels) = batch.Row(row);
            var at = shown.IndexOf(row);
            try
            {
                return _embedder.Embed(ids, at < 0 ? [] : [images![at]], labels, model.Config.MaxSplicedPositions);
            }
            catch (PromptException e)
            {
                throw new TrainingException($"{batch.Samples[row].Name} cannot be embedded: {e.Message}", e);
            }
        });
    }

    private Tensor Features(TrainingBatch batch, List<int> rows)
    {
        using var noGrad = no_grad();
        var pixels = stack(rows.Select(row => tensor(batch.Images[row]).view(3, batch.ImageSide, batch.ImageSide)), 0);
        return model.Vision.call(pixels.to(model.Language.Device));
    }
}
