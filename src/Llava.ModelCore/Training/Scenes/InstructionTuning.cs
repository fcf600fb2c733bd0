using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Scenes;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>Trains projector and language model on questions about scenes, with the vision tower frozen.</summary>
internal sealed class InstructionTuning(LlavaModel model, SceneTokenizer tokenizer, SceneRecipe recipe) : ISceneStage
{
    public const string StageName = "instruction";

    private const int HeldOutScenes = 256;

    public string Name => StageName;

    public IReadOnlyList<(string Name, Parameter Value)> Trained { get; } =
        [.. model.named_parameters().Where(p => !p.name.StartsWith("vision_tower.", StringComparison.Ordinal)).Select(p => (p.name, p.parameter))];

    public IDisposable MakeBatch(long firstSeed, int count, int maxObjects) => StarBatch.Make(
        [.. Enumerable.Range(0, count).Select(i => Scene.FromSeed(firstSeed + i, maxObjects))],
        tokenizer,
        model.Vision.Config,
        recipe.TextBudget,
        recipe.ConversationShare);

    public (Tensor Loss, Tensor Accuracy) Loss(IDisposable batch)
    {
        var star = (StarBatch)batch;
        var logits = SceneEvaluation.Logits(model, star);
        var accuracy = logits.detach().argmax(-1).eq(star.Targets).to(ScalarType.Float32).mean();
        return (nn.functional.cross_entropy(logits, star.Targets), accuracy);
    }

    public IReadOnlyDictionary<string, double> Evaluate(int maxObjects) =>
        SceneEvaluation.TeacherForced(model, tokenizer, HeldOutScenes, maxObjects).ToDictionary(k => k.Key.ToString(), k => k.Value.Share);
}
