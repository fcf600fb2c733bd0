using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Scenes;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>
/// Pre-trains the vision tower on labels of every patch, as CLIP's pre-training does for LLaVA on photographs. One linear
/// layer on the tower's features predicts all labels; it is not part of the model.
/// </summary>
internal sealed class TowerPretraining : ISceneStage, IDisposable
{
    public const string StageName = "pretraining";

    private const int HeldOutScenes = 256;

    // Most patches show nothing: at full weight the objects would be learnt last.
    private const float NoneWeight = 0.1f;

    private readonly LlavaModel _model;
    private readonly LinearLayer _head;
    private readonly Tensor?[] _classWeights;

    public TowerPretraining(LlavaModel model, ScalarType computeType, int seed)
    {
        _model = model;
        _head = new LinearLayer(model.Vision.Config.HiddenSize, ScenePatchLabels.Kinds.Sum(k => k.Classes), hasBias: false) { ComputeType = computeType };
        using (no_grad())
        {
            _head.Weight.normal_(0, 1 / Math.Sqrt(model.Vision.Config.HiddenSize), new Generator((ulong)seed));
        }

        _classWeights = [.. ScenePatchLabels.Kinds.Select(k => k.HasNone ? ClassWeights(k.Classes) : null)];
        Trained = [.. model.Vision.named_parameters().Select(p => ("vision_tower." + p.name, p.parameter)),
            .. _head.named_parameters().Select(p => ("patch_labels." + p.name, p.parameter))];
    }

    public string Name => StageName;

    public IReadOnlyList<(string Name, Parameter Value)> Trained { get; }

    public IDisposable MakeBatch(long firstSeed, int count, int maxObjects) =>
        PatchBatch.Make(_model.Vision.Config, firstSeed, count, maxObjects);

    public (Tensor Loss, Tensor Accuracy) Loss(IDisposable batch)
    {
        var (logits, labels) = Predict((PatchBatch)batch);
        var losses = logits.Select((l, i) => nn.functional.cross_entropy(l, labels[i], _classWeights[i])).ToArray();
        var isCovered = labels[2].gt(Scalars.OfInteger(0));
        var isRight = logits[2].argmax(-1).eq(labels[2]).logical_and(isCovered);
        return (stack(losses).sum(), isRight.sum().to(ScalarType.Float32) / isCovered.sum().to(ScalarType.Float32));
    }

    public IReadOnlyDictionary<string, double> Evaluate(int maxObjects)
    {
        using var withoutGradients = no_grad();
        using var scope = NewDisposeScope();
        using var batch = PatchBatch.Make(_model.Vision.Config, Scene.FirstHeldOutSeed, HeldOutScenes, maxObjects);
        var (logits, labels) = Predict(batch);
        return ScenePatchLabels.Kinds.Select((kind, i) => (kind.Name, Share: CoveredAccuracy(logits[i], labels[i], kind.HasNone)))
            .ToDictionary(k => k.Name, k => k.Share);
    }

    public void Dispose()
    {
        _head.Dispose();
        foreach (var weights in _classWeights)
        {
            weights?.Dispose();
        }
    }

    private static double CoveredAccuracy(Tensor logits, Tensor labels, bool hasNone)
    {
        var counted = hasNone ? labels.gt(Scalars.OfInteger(0)) : ones_like(labels, ScalarType.Bool);
        var right = logits.argmax(-1).eq(labels).logical_and(counted).sum().item<long>();
        return (double)right / counted.sum().item<long>();
    }

    private static Tensor ClassWeights(int classes)
    {
        var weights = Enumerable.Repeat(1f, classes).ToArray();
        weights[0] = NoneWeight;
        return tensor(weights);
    }

    private (Tensor[] Logits, Tensor[] Labels) Predict(PatchBatch batch)
    {
        var classes = ScenePatchLabels.Kinds.Select(k => (long)k.Classes).ToArray();
        var logits = _head.call(_model.Vision.call(batch.Pixels)).flatten(0, 1).to(ScalarType.Float32).split(classes, 1);
        return (logits, batch.Labels.unbind(1));
    }

    /// <summary>Images and the labels of their patches.</summary>
    private sealed class PatchBatch(Tensor pixels, Tensor labels) : IDisposable
    {
        /// <summary>(images, 3, side, side).</summary>
        public Tensor Pixels => pixels;

        /// <summary>(images·patches, kinds), int64.</summary>
        public Tensor Labels => labels;

        public static PatchBatch Make(Checkpoints.VisionConfig vision, long firstSeed, int count, int maxObjects)
        {
            var scenes = Enumerable.Range(0, count).Select(i => Scene.FromSeed(firstSeed + i, maxObjects)).ToArray();
            var labels = scenes.SelectMany(s => ScenePatchLabels.Of(s, vision.ImageSize / vision.PatchSize)).ToArray();
            return new PatchBatch(ScenePixelTensor.Of(scenes, vision.ImageSize), tensor(labels, labels.Length / ScenePatchLabels.Kinds.Count, ScenePatchLabels.Kinds.Count));
        }

        public void Dispose()
        {
            pixels.Dispose();
            labels.Dispose();
        }
    }
}
