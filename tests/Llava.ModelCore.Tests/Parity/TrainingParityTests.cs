using System.Text.Json;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using Llava.ModelCore.Tests.Training;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>Whole training runs follow upstream's trainer: batches, losses, rates, gradients and weights (case G).</summary>
public sealed class TrainingParityTests : IDisposable
{
    // Of the manifest: "loss atol 5e-5 at every micro-batch; gradients atol 1e-6; parameters after step 10 atol 5e-5".
    private const double LossTolerance = 5e-5;
    private const double GradientTolerance = 1e-6;
    private const double ParameterTolerance = 5e-5;
    private const string Initial = "init.";

    private readonly DisposeScope _scope;
    private readonly TemporaryFolder _folder = new();

    public TrainingParityTests()
    {
        TorchLibrary.EnsureLoaded();
        _scope = NewDisposeScope();
    }

    public static TheoryData<string> Runs => TrainingCase.Runs();

    public static TheoryData<string> RunsFromSeeds => TrainingCase.RunsFromSeeds();

    public static TheoryData<string> AlignmentRuns =>
        [.. TrainingCase.RunNames.Where(run => TrainingCase.Recipe(run).Stage == TrainingStage.Alignment)];

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Every_step_of_a_run_is_upstreams(string run)
    {
        var expected = FixtureFolder.Json(TrainingCase.Folder, $"train_{run}.json");
        using var tensors = SafeTensorsFile.Open(TrainingCase.At($"expected_train_{run}.safetensors"));
        var recipe = TrainingCase.Recipe(run);
        using var start = TrainingBase.Load(recipe);
        var data = TrainingData.Open(recipe, start);
        var plan = new MicroBatchPlan(data.Order, recipe.MicroBatch, recipe.GradientAccumulation);
        using var trainer = new Trainer(start.Model, recipe, recipe.MaxSteps!.Value);
        Begin(tensors, trainer, recipe);
        var (losses, samples, compared) = (new List<double>(), new List<int[]>(), 0);

        foreach (var (step, rate) in expected.Numbers("lrs").Index())
        {
            var batches = plan.MicroBatchesOf(step).Select(data.Loader.Load).ToList();
            batches.ForEach(batch => RequireSameInputs(tensors, $"micro{samples.Count}.", batch, samples));
            Assert.Equal(rate, trainer.LearningRate, 1e-12);
            losses.AddRange(trainer.Accumulate(batches).Select(loss => loss.Value));
            compared += RequireClose(tensors, $"grad_step{step + 1}_before_clip.", trainer, recipe, parameter => parameter.grad!, GradientTolerance);
            Assert.Equal(expected.Numbers("grad_norms")[step], trainer.Update(), ParameterTolerance);
            compared += RequireClose(tensors, $"after_step{step + 1}.", trainer, recipe, parameter => parameter, ParameterTolerance);
        }

        Assert.Equal(expected.GetProperty("micro_batches").EnumerateArray().Select(batch => batch.EnumerateArray().Select(i => i.GetInt32())), samples);
        Assert.Equal(expected.Numbers("micro_losses"), losses, (a, b) => Math.Abs(a - b) <= LossTolerance);
        Assert.Equal(tensors.Entries.Count(entry => !entry.Name.StartsWith("micro", StringComparison.Ordinal) && !entry.Name.StartsWith(Initial, StringComparison.Ordinal)), compared);
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Parameters_are_grouped_and_decayed_as_upstreams(string run)
    {
        var recipe = TrainingCase.Recipe(run);
        using var start = TrainingBase.Load(recipe);

        var groups = ParameterGroup.For(start.Model, recipe);

        var expected = FixtureFolder.Json(TrainingCase.Folder, $"train_{run}.json").GetProperty("param_groups").EnumerateArray();
        Assert.Equal(
            expected.Select(group => (group.GetProperty("weight_decay").GetDouble(), Sorted(group.GetProperty("names").EnumerateArray().Select(name => name.GetString()!)))),
            groups.Select(group => (group.WeightDecay, Sorted(group.Parameters.Select(parameter => Upstream(recipe, parameter.Name))))));

        static string Sorted(IEnumerable<string> names) => string.Join('\n', names.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(RunsFromSeeds))]
    public void A_run_from_recipe_to_folder_has_upstreams_losses_and_leaves_its_weights(string run)
    {
        var losses = new RecordingObserver();

        var outcome = TrainingRun.Start(TrainingCase.Recipe(run), _folder.File("out"), losses);

        var expected = FixtureFolder.Json(TrainingCase.Folder, $"train_{run}.json");
        Assert.True(outcome.IsComplete);
        Assert.Equal(expected.Numbers("step_losses"), losses.Steps.Select(step => step.Loss), (a, b) => Math.Abs(a - b) <= LossTolerance);
        using var tensors = SafeTensorsFile.Open(TrainingCase.At($"expected_train_{run}.safetensors"));
        using var written = TensorContainer.Open(new[] { "mm_projector.bin", "model.safetensors" }
            .Select(name => Path.Combine(outcome.Folder, name)).Single(File.Exists));
        var last = $"after_step{outcome.Steps}.";
        var compared = tensors.Entries.Where(entry => entry.Name.StartsWith(last, StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(compared);
        compared.ForEach(entry => Close.Require(entry.Name, tensors.Read(entry.Name), written.Read(entry.Name[last.Length..]), ParameterTolerance));
    }

    // A whole model is written with its tower beside it, and its config says so; alignment's is upstream's.
    [Theory]
    [MemberData(nameof(AlignmentRuns))]
    public void The_config_of_an_alignment_run_says_what_upstreams_says(string run)
    {
        TrainingRun.Start(TrainingCase.Recipe(run) with { MaxSteps = 1 }, _folder.File("out"));

        var expected = FixtureFolder.Json(TrainingCase.At($"upstream_output_{run}"), "config.json").EnumerateObject()
            .Where(field => field.Name is not ("_name_or_path" or "architectures" or "model_type" or "mm_vision_tower" or "transformers_version")).ToList();
        var written = FixtureFolder.Json(_folder.File("out"), "config.json");
        Assert.NotEmpty(expected);
        Assert.Empty(expected.Where(field => !written.TryGetProperty(field.Name, out var value) || !JsonElement.DeepEquals(field.Value, value)).Select(field => field.Name));
    }

    private static void RequireSameInputs(SafeTensorsFile tensors, string prefix, TrainingBatch batch, List<int[]> samples)
    {
        samples.Add([.. batch.Samples.Select(sample => sample.Index)]);
        if (tensors.Contains(prefix + "input_ids"))
        {
            Assert.Equal(tensors.Entry(prefix + "input_ids").Shape, [batch.Samples.Count, batch.Length]);
            Assert.Equal(tensors.ReadArray<int>(prefix + "input_ids"), batch.Ids);
            Assert.Equal(tensors.ReadArray<int>(prefix + "labels"), batch.Labels);
            Assert.Equal(tensors.ReadArray<byte>(prefix + "attention_mask").Select(visible => visible != 0), batch.Mask);
        }
    }

    private static int RequireClose(SafeTensorsFile tensors, string prefix, Trainer trainer, TrainingRecipe recipe, Func<Tensor, Tensor> read, double tolerance)
    {
        var parameters = trainer.Optimizer.Parameters.ToDictionary(parameter => Upstream(recipe, parameter.Name), parameter => parameter.Value);
        var names = tensors.Entries.Select(entry => entry.Name).Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        names.ForEach(name => Close.Require(name, tensors.Read(name), read(parameters[name[prefix.Length..]]).detach(), tolerance));
        return names.Count;
    }

    /// <summary>Adapters begin where upstream's random numbers put them.</summary>
    private static void Begin(SafeTensorsFile tensors, Trainer trainer, TrainingRecipe recipe)
    {
        using var noGrad = no_grad();
        foreach (var parameter in trainer.Optimizer.Parameters.Where(parameter => tensors.Contains(Initial + Upstream(recipe, parameter.Name))))
        {
            parameter.Value.copy_(tensors.Read(Initial + Upstream(recipe, parameter.Name)));
        }
    }

    /// <summary>Upstream's name; the projector of the command line, which names no type, is linear, and peft names what it wraps anew.</summary>
    private static string Upstream(TrainingRecipe recipe, string parameter)
    {
        var at = parameter.IndexOf(LoraSetup.Marker, StringComparison.Ordinal);
        return recipe.Lora is null ? InFile(parameter) : "base_model.model." + (at < 0 ? InFile(parameter) : $"{InFile(parameter[..at])}.lora_{parameter[^1]}.default.weight");
    }

    private static string InFile(string parameter) => LayoutNames.Of(CheckpointLayout.LlavaOriginal).InFile(parameter, projectorDepth: 1);
}
