using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Scenes;
using Llava.ModelCore.Training.Scenes;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Scenes;

public sealed class SceneTrainingTests : IDisposable
{
    private static readonly SceneRecipe Tiny = new()
    {
        VocabularySize = 700,
        Tower = new() { HiddenSize = 16, IntermediateSize = 32, Layers = 1, Heads = 2 },
        Language = new() { HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 2 },
        Pretraining = new() { Steps = 4, BatchSize = 2, LearningRate = 1e-2, WarmupSteps = 0, Levels = [3] },
        Instruction = new() { Steps = 4, BatchSize = 2, LearningRate = 1e-2, WarmupSteps = 0, Levels = [2, 3], MinLevelSteps = 1, AdvanceAt = 0.001 },
        SnapshotEvery = 2,
    };

    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_question_in_the_star_gets_the_logits_of_its_own_prompt()
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        var model = new LlavaModel(Tiny.ModelConfig());
        SceneWeights.Initialize(model, 3);
        var tokenizer = SceneTokenizer.Train(_folder, Tiny.VocabularySize, 4);
        var scene = Scene.FromSeed(5, 3);
        using var batch = StarBatch.OneOfEach([scene], tokenizer, model.Vision.Config);
        var star = SceneEvaluation.Logits(model, batch);

        for (var i = 0; i < batch.Questions.Count; i++)
        {
            var alone = LogitsAlone(model, tokenizer, batch.Pixels, batch.Questions[i]);
            var at = tensor(Enumerable.Range(0, batch.QuestionOf.Count).Where(t => batch.QuestionOf[t] == i).Select(t => (long)t).ToArray());
            var difference = star.index_select(0, at).add(alone, Scalars.Of(-1)).abs().max().item<float>();
            Assert.InRange(difference, 0, 1e-4);
        }
    }

    [Fact]
    public void A_killed_run_resumes_with_the_losses_of_an_uninterrupted_one()
    {
        var whole = new List<SceneProgress>();
        SceneTraining.Run(Tiny, Path.Combine(_folder, "whole"), whole.Add, CancellationToken.None);

        var parts = new List<SceneProgress>();
        using var kill = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => SceneTraining.Run(Tiny, Path.Combine(_folder, "parts"), Stop, kill.Token));
        Assert.Throws<OperationCanceledException>(() => SceneTraining.Run(Tiny, Path.Combine(_folder, "parts"), parts.Add, kill.Token));
        SceneTraining.Run(Tiny, Path.Combine(_folder, "parts"), parts.Add, CancellationToken.None);

        Assert.Equal(whole.Select(Figures), parts.Select(Figures));

        void Stop(SceneProgress progress)
        {
            parts.Add(progress);
            if (progress is { Stage: "instruction", Step: 2 })
            {
                kill.Cancel();
            }
        }
    }

    [Fact]
    public void Pretraining_moves_the_tower_and_instruction_tuning_does_not()
    {
        SceneTraining.Run(Tiny, _folder, _ => { }, CancellationToken.None);

        using var scope = NewDisposeScope();
        using var initial = new LlavaModel(Tiny.ModelConfig());
        SceneWeights.Initialize(initial, Tiny.Seed);
        using var trained = SceneTraining.LoadTrained(Tiny, _folder);
        var moved = initial.named_parameters().Zip(trained.named_parameters(), (a, b) => (a.name, Moved: !a.parameter.equal(b.parameter).all().item<bool>()));
        Assert.All(moved.Where(m => m.name.EndsWith("proj.weight", StringComparison.Ordinal)), m => Assert.True(m.Moved, $"{m.name} has its initial value."));
        Assert.All(trained.named_parameters(), p => Assert.True(p.parameter.isfinite().all().item<bool>(), $"{p.name} is not finite."));
    }

    [Fact]
    public void An_exported_run_opens_as_a_checkpoint_with_the_trained_weights()
    {
        SceneTraining.Run(Tiny, _folder, _ => { }, CancellationToken.None);
        var output = Path.Combine(_folder, "checkpoint");
        SceneTraining.Export(Tiny, _folder, output);

        using var scope = NewDisposeScope();
        using var trained = SceneTraining.LoadTrained(Tiny, _folder);
        using var checkpoint = CheckpointFolder.Open(output);
        Assert.Equal(Tiny.ModelConfig().LanguageModel, checkpoint.Config.LanguageModel);
        Assert.Equal(Tiny.ModelConfig().Vision, checkpoint.Config.Vision);
        Assert.Empty(checkpoint.UnusedTensors);
        var parameters = trained.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        Assert.All(checkpoint.Tensors, t => Assert.True(
            t.Read().equal(parameters[t.Parameter.Name].to(ScalarType.BFloat16)).all().item<bool>(), $"{t.Parameter.Name} differs."));
    }

    [Theory]
    [InlineData("{ \"maxObjects\": 12, \"textBudget\": 3 }", "maxObjects is 12", "textBudget is 3")]
    [InlineData("{ \"tower\": { \"hiddenSize\": 10, \"intermediateSize\": 1, \"layers\": 1, \"heads\": 3 } }", "tower", "multiple")]
    [InlineData("{ \"speed\": 1 }", "speed", "recipe")]
    public void A_wrong_recipe_is_refused_with_all_findings(string json, string first, string second)
    {
        var path = Path.Combine(_folder, "recipe.json");
        File.WriteAllText(path, json);

        var error = Assert.Throws<SceneTrainingException>(() => SceneRecipe.Load(path));

        Assert.Contains(first, error.Message);
        Assert.Contains(second, error.Message);
    }

    private static (string, int, int, double, double?) Figures(SceneProgress p) =>
        (p.Stage, p.Step, p.MaxObjects, Math.Round(p.LearningRate, 9), p.HeldOut?.Values.Sum());

    /// <summary>Logits (answer tokens, vocabulary) of one question's whole prompt, encoded as inference does, under a causal mask.</summary>
    private static Tensor LogitsAlone(LlavaModel model, SceneTokenizer tokenizer, Tensor pixels, SceneQuestion question)
    {
        int[] turn = tokenizer.Question(question.Question, isFirst: true);
        int[] answer = tokenizer.Answer(question.Question, question.Answer, isFirst: true);
        Tensor Embed(IEnumerable<int> ids) => model.Language.Embed(tensor(ids.Select(id => (long)id).ToArray()));
        var embeddings = cat([Embed(tokenizer.Prefix), model.EncodeImages(pixels).squeeze(0), Embed(turn.Concat(answer))], 0);
        var length = embeddings.shape[0];
        var hidden = model.Language.Forward(embeddings, arange(Scalars.OfInteger(length)), length, new PaddedAttention(1, PaddedAttention.CausalMask(length)));
        return model.Language.Logits(hidden.narrow(0, length - answer.Length - 1, answer.Length));
    }
}
