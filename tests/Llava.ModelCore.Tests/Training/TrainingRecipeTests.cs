using Llava.ModelCore.Imaging;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Optimizers;

namespace Llava.ModelCore.Tests.Training;

public sealed class TrainingRecipeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_recipe_is_read_with_paths_relative_to_its_own_folder()
    {
        Directory.CreateDirectory(_folder.File("vicuna"));
        Write("data.json", "[]");
        var path = Write("recipe.json", """
            {
              // Comments are welcome in recipes.
              "stage": "instruction_tuning", "base": "vicuna", "data": "data.json", "template": "v1",
              "learning_rate": 2e-5, "precision": "fp32", "image_aspect_ratio": "pad", "schedule": "constant_then_linear", "clip": 1.0,
            }
            """);

        var recipe = TrainingRecipe.Load(path);

        Assert.Equal(_folder.File("vicuna"), recipe.Base);
        Assert.Equal(_folder.File("data.json"), recipe.Data);
        Assert.Equal(TrainingStage.InstructionTuning, recipe.Stage);
        Assert.Equal(TrainingPrecision.Fp32, recipe.Precision);
        Assert.Equal(ImageAspect.Pad, recipe.ImageAspectRatio);
        Assert.Equal(LearningRateShape.ConstantThenLinear, recipe.Schedule);
        Assert.Equal(1.0, recipe.Clip);
    }

    [Fact]
    public void A_recipe_survives_being_written_and_read()
    {
        Directory.CreateDirectory(_folder.File("vicuna"));
        var recipe = new TrainingRecipe
        {
            Base = _folder.File("vicuna"),
            Data = Write("data.json", "[]"),
            Template = "plain",
            LearningRate = 1e-3,
            MaxSteps = 7,
            SaveTotalLimit = 3,
            GroupByModalityLength = true,
        };

        Assert.Equal(recipe, TrainingRecipe.Load(Write("recipe.json", recipe.ToJson())));
    }

    [Fact]
    public void All_findings_are_reported_at_once_and_name_their_field()
    {
        var recipe = new TrainingRecipe { MicroBatch = 0, Clip = -1, ProjectorType = "mlp", Device = "gpu", DataOrder = "nowhere.json" };

        var error = Assert.Throws<TrainingValidationException>(() => recipe.Check());

        foreach (var field in new[] { "micro_batch", "clip", "projector_type", "device", "data_order", "base", "data ", "template", "learning_rate" })
        {
            Assert.Contains(error.Findings, finding => finding.StartsWith(field, StringComparison.Ordinal));
        }

        Assert.Equal(9, error.Findings.Count);
    }

    [Fact]
    public void A_misspelt_field_is_refused_by_name()
    {
        var error = Assert.Throws<TrainingException>(() => TrainingRecipe.Load(Write("recipe.json", """{ "learning_rat": 1 }""")));

        Assert.Contains("learning_rat", error.Message, StringComparison.Ordinal);
    }

    private string Write(string name, string text)
    {
        File.WriteAllText(_folder.File(name), text);
        return _folder.File(name);
    }
}
