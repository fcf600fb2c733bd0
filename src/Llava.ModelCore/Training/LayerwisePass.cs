using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>
/// Loss and gradients of a micro-batch, a decoder layer at a time: next-token cross-entropy, the mean over all labels of the micro-batch, logits in float32 and
/// only where a label is (spec 1.11). Forward, the first layers keep nothing but their input and are computed once more when their gradient is due (Chen et al.
/// 2016); the others keep their graph. Backward, each layer's graph is dropped and its gradients are handed on before the next layer's turn.
/// </summary>
/// <param name="model">Its trainable parameters get gradients; they are added to.</param>
/// <param name="recomputed">Layers, from the first, that are computed twice. The last layer's gradient is due at once, so it is always kept.</param>
/// <param name="logitsAtOnce">Logits that are made at once, at least those of one target; null for <see cref="LogitsAtOnce"/>.</param>
/// <param name="attend">Makes the attention of packed samples, by their lengths, for a device; null for the form that fits device and type.</param>
internal sealed class LayerwisePass(LlavaModel model, int recomputed, int? logitsAtOnce = null, Func<IReadOnlyList<int>, Device, IAttention>? attend = null)
{
    private readonly LanguageModel _language = model.Language;

    /// <summary>Logits that are made at once where nobody says otherwise: 64 MiB, on a device 256 MiB, where each piece reads the head's weight once more.</summary>
    public static int LogitsAtOnce(bool isOnCpu) => isOnCpu ? 1 << 24 : 1 << 26;

    private int LayerCount => _language.Layers.Count;

    /// <summary>Adds <paramref name="weight"/> times the gradient of the loss to the gradients.</summary>
    /// <param name="batch">The micro-batch.</param>
    /// <param name="weight">Factor on the gradient.</param>
    /// <param name="seed">What the layers' dropout is drawn from; null where nothing is dropped.</param>
    /// <param name="done">Called with each part whose gradients this micro-batch adds nothing more to; null for nobody.</param>
    /// <returns>The loss, unweighted, the size of the micro-batch, and how much of it was known already.</returns>
    /// <exception cref="TrainingException">
    /// Nothing in the micro-batch is learned, a row does not fit its image, or the loss is not finite; the message names the samples.
    /// </exception>
    public MicroBatchLoss Accumulate(TrainingBatch batch, double weight, long? seed = null, Action<ModelPart>? done = null)
    {
        using var scope = NewDisposeScope();
        var inputs = MicroBatchInputs.Of(model, batch);
        var lowest = LowestLearning(inputs.Embeddings);
        var layers = Forward(inputs, lowest, seed);
        var (measured, gradient) = Head(inputs, layers.Output, weight, needsGradient: lowest < LayerCount, batch);
        done?.Invoke(ModelPart.Head);
        for (var i = LayerCount - 1; i >= lowest; i--)
        {
            gradient = Backward(layers, i, gradient!);
            done?.Invoke(ModelPart.Layer(i));
        }

        // An alignment micro-batch of text-only samples touches nothing that is trained.
        if (inputs.Embeddings.requires_grad)
        {
            autograd.backward([inputs.Embeddings], [gradient!]);
        }

        done?.Invoke(ModelPart.Rest);
        return measured;
    }

    /// <summary>The loss alone; no gradient is touched.</summary>
    /// <exception cref="TrainingException">Nothing in the micro-batch is learned, a row does not fit its image, or the loss is not finite; the message names the samples.</exception>
    public MicroBatchLoss Measure(TrainingBatch batch)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        model.eval();
        try
        {
            var inputs = MicroBatchInputs.Of(model, batch);
            return Head(inputs, Forward(inputs, LayerCount, seed: null).Output, weight: 1, needsGradient: false, batch).Measured;
        }
        finally
        {
            model.train();
        }
    }

    /// <summary>The first layer that a gradient has to reach; their number where none has to.</summary>
    private int LowestLearning(Tensor embeddings)
    {
        if (embeddings.requires_grad)
        {
            return 0;
        }

        var learning = _language.Layers.ToList().FindIndex(layer => layer.parameters().Any(parameter => parameter.requires_grad));
        return learning < 0 ? LayerCount : learning;
    }

    private RunLayers Forward(MicroBatchInputs inputs, int lowest, long? seed)
    {
        var attention = PlacedAttention.On(_language.Devices, device => attend?.Invoke(inputs.Lengths, device) ?? PackedAttention.For(_language.Config, inputs.Lengths, device, _language.ComputeType));
        RunLayers run = new(_language, _language.Angles(inputs.Positions(), inputs.Lengths.Max()), attention, inputs.Predictors, seed);
        var hidden = inputs.Embeddings.detach();
        for (var i = 0; i < LayerCount; i++)
        {
            var keepsGraph = i >= lowest && (i >= recomputed || i == LayerCount - 1);
            if (i >= lowest)
            {
                run.Inputs[i] = hidden.requires_grad_(i > lowest || inputs.Embeddings.requires_grad);
            }

            if (keepsGraph)
            {
                run.Kept[i] = run.Layer(i, hidden);
                hidden = run.Kept[i]!.detach();
                continue;
            }

            using var noGrad = no_grad();
            var output = run.Layer(i, hidden);
            if (i < lowest)
            {
                hidden.Dispose();
            }

            hidden = output;
        }

        run.Output = hidden;
        return run;
    }

    private static Tensor? Backward(RunLayers run, int layer, Tensor gradient)
    {
        using var scope = NewDisposeScope();
        var input = run.Inputs[layer]!;
        var output = run.Kept[layer] ?? run.Layer(layer, input);
        autograd.backward([output], [gradient]);
        var below = input.requires_grad ? input.grad!.MoveToOuterDisposeScope() : null;
        output.Dispose();
        input.Dispose();
        gradient.Dispose();
        return below;
    }

    /// <summary>Final norm, logits, loss and their gradient, as many targets at a time as the logits' memory allows. What it came to is read once, at the end.</summary>
    private (MicroBatchLoss Measured, Tensor? Gradient) Head(MicroBatchInputs inputs, Tensor output, double weight, bool needsGradient, TrainingBatch batch)
    {
        var targets = (int)inputs.Targets.shape[0];
        var hidden = output.requires_grad_(needsGradient);
        using var factor = (weight / targets).ToScalar();
        var (losses, known) = (new List<Tensor>(), new List<Tensor>());
        var atOnce = Math.Max(1, (logitsAtOnce ?? LogitsAtOnce(output.device_type == DeviceType.CPU)) / _language.Config.VocabularySize);
        for (var start = 0; start < targets; start += atOnce)
        {
            using var scope = NewDisposeScope();
            var length = Math.Min(atOnce, targets - start);
            var logits = _language.Logits(_language.FinalNorm.call(hidden.narrow(0, start, length)));
            var wanted = inputs.Targets.narrow(0, start, length).to(logits.device);
            var sum = nn.functional.cross_entropy(logits, wanted, reduction: nn.Reduction.Sum);
            losses.Add(sum.detach().MoveToOuterDisposeScope());
            known.Add(logits.detach().argmax(-1).eq(wanted).sum().MoveToOuterDisposeScope());
            if (sum.requires_grad)
            {
                sum.mul(factor).backward();
            }
        }

        var read = Transfers.Read([.. losses, .. known]);
        var (loss, correct) = (read.Take(losses.Count).Sum() / targets, read.Skip(losses.Count).Sum());
        return double.IsFinite(loss)
            ? (new MicroBatchLoss(loss, inputs.Tokens, targets, (int)correct), needsGradient ? hidden.grad : null)
            : throw new TrainingException($"The loss is {loss} on the micro-batch of {batch.Names}. Lower the learning rate, or look at these samples' images and at the base checkpoint's weights.");
    }

    /// <summary>The layers of one micro-batch: what they see, and what is kept of them.</summary>
    private sealed class RunLayers(LanguageModel language, LayerAngles angles, IAttention attention, Tensor wanted, long? seed)
    {
        /// <summary>(tokens, hidden) into each layer that a gradient has to reach.</summary>
        public Tensor?[] Inputs { get; } = new Tensor?[language.Layers.Count];

        /// <summary>Output with its graph, of each layer that keeps it.</summary>
        public Tensor?[] Kept { get; } = new Tensor?[language.Layers.Count];

        /// <summary>(targets, hidden) out of the last layer.</summary>
        public Tensor Output { get; set; } = null!;

        /// <summary>Runs a layer; the second time it leaves out what it left out the first time.</summary>
        public Tensor Layer(int index, Tensor hidden)
        {
            using var scope = NewDisposeScope();
            using var dropout = seed is { } drawn ? new LayerDropout(language.Layers[index], drawn + index) : null;
            return language.Layer(index, hidden, angles, attention, index == language.Layers.Count - 1 ? wanted : null).MoveToOuterDisposeScope();
        }
    }
}
