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
    public void Misspelt_fields_are_refused_all_at_once_with_the_nearest_that_there_is()
    {
        var error = Assert.Throws<TrainingValidationException>(() => TrainingRecipe.Load(Write("recipe.json", """
            { "learning_rat": 1, "Micro_Batch": 4, "gradient_acumulation": 2, "lora": { "rnk": 4 }, "deepspeed_configuration": "zero2.json" }
            """)));

        Assert.Equal(5, error.Findings.Count);
        Assert.Contains("learning_rat is no field of a recipe; did you mean learning_rate?", error.Findings);
        Assert.Contains("Micro_Batch is no field of a recipe; did you mean micro_batch?", error.Findings);
        Assert.Contains("gradient_acumulation is no field of a recipe; did you mean gradient_accumulation?", error.Findings);
        Assert.Contains("lora.rnk is no field of a recipe; did you mean lora.rank?", error.Findings);
        Assert.Contains(error.Findings, finding => finding.StartsWith("deepspeed_configuration is no field of a recipe. Those that there are: stage, base,", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("cpu", 1, "cpu,tpu:0", "layer_devices is [cpu, tpu:0]; it must name one device or more")]
    [InlineData("cuda", 1, "cuda", "layer_devices is [cuda]; it must name one device or more")]
    [InlineData("cpu", 1, "cuda:0,cuda:1", "layer_devices is [cuda:0, cuda:1], and device is 'cpu'")]
    [InlineData("cpu", 2, "cpu,cpu", "layer_devices is given with processes 2")]
    public void Devices_that_layers_cannot_be_laid_over_are_refused(string device, int processes, string devices, string finding)
    {
        var recipe = new TrainingRecipe { Device = device, Processes = processes, GradientAccumulation = processes, LayerDevices = devices.Split(',') };

        Assert.Single(Assert.Throws<TrainingValidationException>(() => recipe.Check()).Findings, found => found.StartsWith(finding, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0, 0, 1, "adamw", "processes is 0; it must be from 1 to 16.")]
    [InlineData(17, 0, 17, "adamw", "processes is 17; it must be from 1 to 16.")]
    [InlineData(4, 0, 6, "adamw", "gradient_accumulation is 6; it must be a multiple of processes (4)")]
    [InlineData(2, 3, 2, "adamw", "zero is 3; it must be 0 ")]
    [InlineData(1, 2, 2, "adamw", "zero is 2 with one process")]
    [InlineData(2, 1, 2, "adafactor", "zero is 1 with optimizer adafactor")]
    [InlineData(2, 0, 2, "adamw", "offload_optimizer is true with processes 2 and zero 0", true)]
    [InlineData(1, 0, 1, "adafactor", "offload_optimizer is true with optimizer adafactor", true)]
    public void What_processes_cannot_share_out_or_hosts_not_keep_is_refused(int processes, int zero, int accumulation, string optimizer, string finding, bool isOffloaded = false)
    {
        var recipe = new TrainingRecipe { Processes = processes, Zero = zero, GradientAccumulation = accumulation, Optimizer = Enum.Parse<OptimizerKind>(optimizer, ignoreCase: true), OffloadOptimizer = isOffloaded };

        var findings = Assert.Throws<TrainingValidationException>(() => recipe.Check()).Findings;

        Assert.Single(findings, found => found.StartsWith(finding, StringComparison.Ordinal));
        Assert.Contains(Assert.Throws<TrainingValidationException>(() => (recipe with { Processes = 2, Device = "cuda:1" }).Check()).Findings, found => found.StartsWith("device is 'cuda:1' with processes 2", StringComparison.Ordinal));
    }

    private string Write(string name, string text)
    {
        File.WriteAllText(_folder.File(name), text);
        return _folder.File(name);
    }
}
