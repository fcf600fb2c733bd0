using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Scenes;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>
/// Trains projector and language model on questions about scenes, with the vision tower frozen. Half-way through the
/// layers a linear head, not part of the model, must say of each object that a question names what it looks like and where
/// it is: finding the named object in the image is what all questions have in common and what is learnt last without it.
/// </summary>
internal sealed class InstructionTuning : ISceneStage, IDisposable
{
    public const string StageName = "instruction";

    private const int HeldOutScenes = 256;

    private readonly LlavaModel _model;
    private readonly SceneTokenizer _tokenizer;
    private readonly SceneRecipe _recipe;
    private readonly LinearLayer _mentions;

    public InstructionTuning(LlavaModel model, SceneTokenizer tokenizer, SceneRecipe recipe)
    {
        (_model, _tokenizer, _recipe) = (model, tokenizer, recipe);
        var width = model.Config.LanguageModel.HiddenSize;
        _mentions = new LinearLayer(width, SceneMentionLabels.Kinds.Sum(k => k.Classes), hasBias: false);
        using (no_grad())
        {
            _mentions.Weight.normal_(0, 1 / Math.Sqrt(width), new Generator((ulong)recipe.Seed));
        }

        Trained = [.. model.named_parameters().Where(p => !p.name.StartsWith("vision_tower.", StringComparison.Ordinal)).Select(p => (p.name, p.parameter)),
            .. _mentions.named_parameters().Select(p => ("mention_labels." + p.name, p.parameter))];
    }

    public string Name => StageName;

    public IReadOnlyList<(string Name, Parameter Value)> Trained { get; }

    private int ObservedLayer => (_model.Config.LanguageModel.Layers / 2) - 1;

    public IDisposable MakeBatch(long firstSeed, int count, int maxObjects) => StarBatch.Make(
        [.. Enumerable.Range(0, count).Select(i => Scene.FromSeed(firstSeed + i, maxObjects))],
        _tokenizer,
        _model.Vision.Config,
        _recipe.TextBudget,
        _recipe.ConversationShare);

    public (Tensor Loss, Tensor Accuracy) Loss(IDisposable batch)
    {
        var star = (StarBatch)batch;
        Tensor? mentions = null;
        var logits = SceneEvaluation.Logits(_model, star, (layer, hidden) => mentions = layer == ObservedLayer ? MentionLoss(hidden, star) : mentions);
        var accuracy = logits.detach().argmax(-1).eq(star.Targets).to(ScalarType.Float32).mean();
        var loss = nn.functional.cross_entropy(logits, star.Targets);
        return (mentions is null ? loss : loss.add(mentions, Scalars.Of(_recipe.MentionWeight)), accuracy);
    }

    public IReadOnlyDictionary<string, double> Evaluate(int maxObjects) =>
        SceneEvaluation.TeacherForced(_model, _tokenizer, HeldOutScenes, maxObjects).ToDictionary(k => k.Key.ToString(), k => k.Value.Share);

    public void Dispose() => _mentions.Dispose();

    private Tensor MentionLoss(Tensor hidden, StarBatch batch)
    {
        var states = hidden.index_select(0, batch.MentionedAt);
        var classes = SceneMentionLabels.Kinds.Select(k => (long)k.Classes).ToArray();
        var logits = _mentions.call(nn.functional.layer_norm(states, [states.shape[1]])).split(classes, 1);
        var labels = batch.Mentions.unbind(1);
        return stack(logits.Select((l, i) => nn.functional.cross_entropy(l, labels[i])).ToArray()).sum();
    }
}
