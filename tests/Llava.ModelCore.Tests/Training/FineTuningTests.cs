using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tests.Parity;
using Llava.ModelCore.Tokenization;
using Llava.ModelCore.Training;
using Llava.Testing;

namespace Llava.ModelCore.Tests.Training;

/// <summary>What fine-tuning needs beyond the original's training: turns that are not learned, other system texts, a frozen language model, data to measure with.</summary>
public sealed class FineTuningTests : IDisposable
{
    private static readonly string Scenes = Repository.Path("models", "llava-scenes");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("v1")]
    [InlineData("v0")]
    [InlineData("llava_llama_2")]
    public void A_turn_of_weight_zero_is_read_and_not_learned(string template)
    {
        var whole = Process(template, new ConversationTurn("gpt", "A cat."), new("gpt", "A dog."));
        var partly = Process(template, new ConversationTurn("gpt", "A cat.") { IsLearned = false }, new("gpt", "A dog."));

        Assert.Equal(whole.Ids, partly.Ids);
        var learned = partly.Labels.Count(label => label != TrainingExample.Ignored);
        Assert.InRange(learned, 1, whole.Labels.Count(label => label != TrainingExample.Ignored) - 1);
        Assert.All(whole.Labels.Zip(partly.Labels), pair => Assert.True(pair.Second == pair.First || pair.Second == TrainingExample.Ignored));
        // The last answer is learned as before, with what ends it.
        var last = Array.FindLastIndex(whole.Labels, label => label != TrainingExample.Ignored);
        Assert.Equal(whole.Labels[last], partly.Labels[last]);
    }

    [Fact]
    public void A_sample_may_bring_a_system_text_of_its_own()
    {
        var tokenizer = TokenizerFolder.Open(Scenes);
        SampleProcessor processor = new(ConversationTemplates.Find("vicuna_v1"), tokenizer, 2048, usesImageStartEnd: false);
        InstructionSample sample = new(0, "s", null, [new("human", "What is it?"), new("gpt", "A circle.")]);

        var own = processor.Process(sample with { System = "circle" });
        var usual = processor.Process(sample);

        var system = tokenizer.Encode("circle");
        Assert.Equal(system, own.Ids.Take(system.Count));
        Assert.Equal(own.Ids.Skip(system.Count), usual.Ids.TakeLast(own.Ids.Length - system.Count));
        Assert.Equal(own.Labels.Where(label => label != TrainingExample.Ignored), usual.Labels.Where(label => label != TrainingExample.Ignored));
    }

    [Fact]
    public void Only_the_projector_learns_beside_a_frozen_language_model_and_the_result_is_a_whole_model_with_its_template()
    {
        var recipe = Recipe() with { FreezeLanguageModel = true, MaxSteps = 2, LearningRate = 1e-2, WarmupRatio = 0 };

        TrainingRun.Start(recipe, _folder.File("out"));

        using var before = CheckpointFolder.Open(Scenes);
        using var after = CheckpointFolder.Open(_folder.File("out"));
        Assert.Equal(recipe.Template, after.ConversationTemplate);
        var changed = after.Tensors.Where(tensor => !Same(tensor, before.Tensors.Single(other => other.Parameter.Name == tensor.Parameter.Name))).Select(tensor => tensor.Parameter.Name).ToList();
        Assert.NotEmpty(changed);
        Assert.All(changed, name => Assert.StartsWith("projector.", name, StringComparison.Ordinal));
    }

    [Fact]
    public void Data_to_measure_with_is_measured_when_it_is_due_and_changes_no_loss()
    {
        var recipe = Recipe() with { MaxSteps = 5 };
        RecordingObserver plain = new();
        RecordingObserver measured = new();

        TrainingRun.Start(recipe, _folder.File("plain"), plain);
        TrainingRun.Start(recipe with { ValidationData = recipe.Data, EvalSteps = 2 }, _folder.File("measured"), measured);

        Assert.Equal(plain.Steps.Select(step => step.Loss), measured.Steps.Select(step => step.Loss));
        Assert.Equal([2, 4, 5], measured.Steps.Where(step => step.Validation is not null).Select(step => step.Step));
        Assert.All(measured.Steps, step => Assert.InRange(step.Accuracy, 0, 1));
        Assert.All(measured.Steps, step => Assert.True(step.Positions > 0));
        Assert.True(measured.Steps[^1].Validation!.Loss < measured.Steps[1].Validation!.Loss);
    }

    [Fact]
    public void A_data_set_is_checked_without_its_models_weights()
    {
        var recipe = Recipe();
        File.AppendAllText(recipe.Data, """{"image":"none.png","conversations":[{"from":"human","value":"<image>"},{"from":"gpt","value":"A."}]}""" + "\n");

        var report = DatasetCheck.Run(recipe, InstructionDataset.Load(recipe.Data));

        Assert.Equal(4, report.Samples);
        Assert.Equal(4, Assert.Single(report.Findings).Index);
        Assert.True(report.Positions > 4 * 5);
    }

    [Fact]
    public void A_recipe_that_freezes_everything_or_measures_nothing_is_refused()
    {
        var refused = Assert.Throws<TrainingValidationException>(() => (Recipe() with { FreezeLanguageModel = true, FreezeProjector = true, EvalSteps = 1 }).Check());

        Assert.Equal(2, refused.Findings.Count);
    }

    /// <summary>Four questions about an image for the model that ships.</summary>
    private TrainingRecipe Recipe()
    {
        var data = _folder.File("data.jsonl");
        File.WriteAllLines(data, Enumerable.Range(0, 4).Select(i => $$"""{"image":"i.png","conversations":[{"from":"human","value":"<image>\nIs it {{i}}?"},{"from":"gpt","value":"red red"}]}"""));
        File.Copy(Directory.EnumerateFiles(Repository.Path("samples", "images"), "*.png").First(), _folder.File("i.png"), overwrite: true);
        return FineTuning.RecipeFor(Scenes) with { Data = data, ImageFolder = _folder.Path, MicroBatch = 2, LearningRate = 1e-3, Precision = TrainingPrecision.Fp32 };
    }

    private static bool Same(CheckpointTensor one, CheckpointTensor other)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        return one.Read().to(TorchSharp.torch.ScalarType.BFloat16).bytes.ToArray().AsSpan().SequenceEqual(other.Read().to(TorchSharp.torch.ScalarType.BFloat16).bytes.ToArray());
    }

    private static TrainingExample Process(string template, params ConversationTurn[] answers)
    {
        var tokenizer = TokenizerFolder.Open(TrainingCase.TokenizerFolderOf("tokenizer.model"));
        SampleProcessor processor = new(ConversationTemplates.Find(template), tokenizer, 2048, usesImageStartEnd: false);
        return processor.Process(new(0, "s", null, [.. answers.SelectMany(answer => new[] { new ConversationTurn("human", "What is it?"), answer })]));
    }
}
