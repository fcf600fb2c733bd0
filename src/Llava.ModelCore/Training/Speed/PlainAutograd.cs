using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Speed;

/// <summary>
/// What <see cref="LayerwisePass"/> is measured and checked against: one graph over the whole model, padded rows, and torch's backward through all of it. Like it,
/// logits are made only where a label is, and what the graph does not need is freed at once.
/// </summary>
/// <param name="model">Its trainable parameters get gradients; they are added to.</param>
internal sealed class PlainAutograd(LlavaModel model)
{
    /// <summary>Adds <paramref name="weight"/> times the gradient of the loss to the gradients.</summary>
    /// <returns>The loss, unweighted.</returns>
    public double Accumulate(TrainingBatch batch, double weight)
    {
        using var scope = NewDisposeScope();
        var inputs = MicroBatchInputs.Of(model, batch);
        var (rows, longest) = (inputs.Lengths.Count, inputs.Lengths.Max());
        var padded = stack(inputs.Embeddings.split([.. inputs.Lengths.Select(length => (long)length)]).Select((row, i) => nn.functional.pad(row, [0, 0, 0, longest - inputs.Lengths[i]])), 0).flatten(0, 1);
        var positions = arange(Scalars.OfInteger(longest), ScalarType.Int64, model.Language.Device).repeat(rows);
        var isToken = tensor(inputs.Lengths.SelectMany(length => Enumerable.Range(0, longest).Select(i => i < length)).ToArray(), device: model.Language.Device).view(rows, longest);
        var slots = isToken.flatten().nonzero().squeeze(1);
        var hidden = Layers(padded, positions, longest, PaddedAttention.Causal(model.Language.Config, isToken));
        var logits = model.Language.Logits(model.Language.FinalNorm.call(hidden).index_select(0, slots.index_select(0, inputs.Predictors)));
        var loss = nn.functional.cross_entropy(logits, inputs.Targets);
        if (loss.requires_grad)
        {
            using var factor = weight.ToScalar();
            loss.mul(factor).backward();
        }

        return loss.item<float>();
    }

    private Tensor Layers(Tensor hidden, Tensor positions, long longest, PaddedAttention attention)
    {
        var angles = model.Language.Angles(positions, longest);
        for (var i = 0; i < model.Language.Layers.Count; i++)
        {
            using var scope = NewDisposeScope();
            hidden = model.Language.Layer(i, hidden, angles, attention).MoveToOuterDisposeScope();
        }

        return hidden;
    }
}
