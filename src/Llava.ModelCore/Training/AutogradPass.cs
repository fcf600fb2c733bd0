using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>
/// Loss and gradients of a micro-batch through torch's autograd: next-token cross-entropy, the mean over all labels of the
/// micro-batch, logits in float32 and only where a label is (spec 1.11). The vision tower is run without gradients.
/// </summary>
/// <param name="model">Its trainable parameters must have gradients; they are added to.</param>
/// <param name="device">Where the model lives.</param>
public sealed class AutogradPass(LlavaModel model, Device device)
{
    /// <summary>Adds <paramref name="weight"/> times the gradient of the loss to the gradients.</summary>
    /// <returns>The loss, unweighted, and the size of the micro-batch.</returns>
    /// <exception cref="TrainingException">Nothing in the micro-batch is learned, or the loss is not finite; the message names the samples.</exception>
    public MicroBatchLoss Accumulate(TrainingBatch batch, double weight)
    {
        using var scope = NewDisposeScope();
        var spliced = SplicedBatch.Of(batch, model.Config.Vision?.Features ?? 0, model.Config.MaxSplicedPositions);
        var loss = Loss(batch, spliced);
        var value = (double)loss.item<float>();
        if (!double.IsFinite(value))
        {
            throw new TrainingException($"The loss is {value} on the micro-batch of {batch.Names}. Lower the learning rate, or look at these samples' images and at the base checkpoint's weights.");
        }

        // An alignment micro-batch of text-only samples touches nothing that is trained.
        if (loss.requires_grad)
        {
            loss.mul(Scalars.Of(weight)).backward();
        }

        return new MicroBatchLoss(value, spliced.Filled, spliced.Targets.Length);
    }

    private Tensor Loss(TrainingBatch batch, SplicedBatch spliced)
    {
        if (spliced.Targets.Length == 0)
        {
            throw new TrainingException($"No token is learned in the micro-batch of {batch.Names}; its loss would be NaN. Check these samples against the template, or skip bad samples.");
        }

        var positions = arange(spliced.Length, ScalarType.Int64, device).repeat(spliced.Rows);
        var attention = new PaddedAttention(spliced.Rows, PaddedAttention.CausalMask(spliced.Length, device));
        var hidden = model.Language.Forward(Embeddings(batch, spliced), positions, spliced.Length, attention);
        var logits = model.Language.Logits(hidden.index_select(0, Ids(spliced.Predictors)));
        return nn.functional.cross_entropy(logits, Ids(spliced.Targets));
    }

    private Tensor Embeddings(TrainingBatch batch, SplicedBatch spliced)
    {
        var text = model.Language.Embed(Ids(spliced.TextIds));
        List<Tensor> table = [text];
        if (spliced.ShownImages.Count > 0)
        {
            table.Add(model.Projector.call(Features(batch, spliced.ShownImages)).to(text.dtype).flatten(0, 1));
        }

        table.Add(zeros(1, text.shape[1], device: device));
        return cat(table, 0).index_select(0, Ids(spliced.Gather));
    }

    private Tensor Features(TrainingBatch batch, IReadOnlyList<int> rows)
    {
        using var noGrad = no_grad();
        var pixels = stack(rows.Select(row => tensor(batch.Images[row]).view(3, batch.ImageSide, batch.ImageSide)), 0);
        return model.Vision.call(pixels.to(device));
    }

    private Tensor Ids(long[] values) => tensor(values, device: device);
}
