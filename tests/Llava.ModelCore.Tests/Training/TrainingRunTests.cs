using System.Text.Json;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Tests.Parity;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Optimizers;

namespace Llava.ModelCore.Tests.Training;

/// <summary>Runs on the small models of case G, with settings of their own.</summary>
public sealed class TrainingRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>Every run of the case; one with an adapter also with dropout on a base in NF4.</summary>
    public static TheoryData<string, bool> Runs
    {
        get
        {
            var runs = new TheoryData<string, bool>();
            TrainingCase.RunNames.ToList().ForEach(run => runs.Add(run, false));
            TrainingCase.RunNames.Where(run => TrainingCase.Recipe(run).Lora is not null).ToList().ForEach(run => runs.Add(run, true));
            return runs;
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Runs))]
    public void A_run_killed_again_and_again_ends_with_the_very_losses_and_weights_of_an_undisturbed_one(string run, bool isPacked)
    {
        var recipe = Drawn(run, isPacked) with { MaxSteps = 8, SaveSteps = 2 };
        var undisturbed = new RecordingObserver();
        TrainingRun.Start(recipe, _folder.File("undisturbed"), undisturbed);
        var losses = new Dictionary<int, IReadOnlyList<double>>();

        // Killed between checkpoints, right after one, and before the first.
        foreach (var killedAt in new[] { 1, 3, 5, 6, int.MaxValue })
        {
            var observer = new RecordingObserver(progress => _ = progress.Step == killedAt ? throw new InvalidOperationException("killed") : 0);
            try
            {
                TrainingRun.Start(recipe, _folder.File("killed"), observer);
            }
            catch (InvalidOperationException)
            {
                Assert.NotEqual(int.MaxValue, killedAt);
            }

            observer.Steps.ForEach(step => losses[step.Step] = step.MicroLosses);
        }

        Assert.Equal(undisturbed.Steps.Select(step => (step.Step, string.Join(' ', step.MicroLosses))), losses.OrderBy(step => step.Key).Select(step => (step.Key, string.Join(' ', step.Value))));
        RequireSameWeights("undisturbed", "killed");
    }

    [Theory]
    [InlineData(OptimizerKind.Adamw8bit, false)]
    [InlineData(OptimizerKind.Adafactor, false)]
    [InlineData(OptimizerKind.Adamw, true)]
    [InlineData(OptimizerKind.Adamw8bit, false, true)]
    public void A_killed_run_goes_on_exactly_with_every_optimizer(OptimizerKind kind, bool isOffloaded, bool isSplit = false)
    {
        var recipe = Drawn(First) with { MaxSteps = 5, SaveSteps = 2, Optimizer = kind, OffloadOptimizer = isOffloaded, SplitWeights = isSplit, Clip = null };
        recipe = isSplit ? recipe with { Stage = TrainingStage.InstructionTuning, Precision = TrainingPrecision.Bf16, GradientAccumulation = 2 } : recipe;
        TrainingRun.Start(recipe, _folder.File("undisturbed"));
        Assert.Throws<InvalidOperationException>(() => TrainingRun.Start(
            recipe, _folder.File("killed"), new RecordingObserver(progress => _ = progress.Step == 3 ? throw new InvalidOperationException("killed") : 0)));

        TrainingRun.Start(recipe with { RecomputeLayers = 1 }, _folder.File("killed"));

        RequireSameWeights("undisturbed", "killed");
    }

    [Fact]
    public void A_micro_batch_that_was_chosen_stays_when_the_run_goes_on_with_more_memory()
    {
        var recipe = Drawn(First) with { MaxSteps = 3, SaveSteps = 1, MicroBatch = 4, GradientAccumulation = 1, AutoMicroBatch = true };
        var (narrow, wide) = (new RecordingObserver(progress => _ = progress.Step == 2 ? throw new InvalidOperationException("killed") : 0), new RecordingObserver());
        var whole = new RecordingObserver(_ => throw new InvalidOperationException("enough"));
        Assert.Throws<InvalidOperationException>(() => TrainingRun.Start(recipe, _folder.File("whole"), whole));
        var needed = whole.Plans[0].Memory;
        Assert.Throws<InvalidOperationException>(() => TrainingRun.Start(recipe, _folder.File("run"), narrow, needed.Total - ((needed.Graphs + needed.LayerInputs + needed.Images) * 6 / 10)));

        TrainingRun.Start(recipe, _folder.File("run"), wide);

        Assert.Equal((4, 1), (whole.Plans[0].MicroBatch, whole.Plans[0].GradientAccumulation));
        Assert.True(narrow.Plans[0].MicroBatch < 4);
        Assert.Equal(4, narrow.Plans[0].MicroBatch * narrow.Plans[0].GradientAccumulation);
        Assert.Equal((narrow.Plans[0].MicroBatch, narrow.Plans[0].GradientAccumulation), (wide.Plans[0].MicroBatch, wide.Plans[0].GradientAccumulation));
    }

    [Fact]
    public void Figures_of_every_step_go_into_an_event_file_where_that_is_asked_for()
    {
        var observer = new RecordingObserver();
        TrainingRun.Start(Drawn(First) with { MaxSteps = 3, Tensorboard = true }, _folder.File("run"), observer);

        // A record: length, its checksum, the event, its checksum; a scalar event ends with its tag and the value in float32.
        var bytes = File.ReadAllBytes(Assert.Single(Directory.EnumerateFiles(_folder.File("run/tensorboard"), "events.out.tfevents.*")));
        List<byte[]> events = [];
        for (var at = 0; at < bytes.Length; at += 16 + BitConverter.ToInt32(bytes, at))
        {
            events.Add(bytes[(at + 12)..(at + 12 + BitConverter.ToInt32(bytes, at))]);
        }

        var losses = events.Where(one => System.Text.Encoding.Latin1.GetString(one).Contains("train/loss", StringComparison.Ordinal)).Select(one => BitConverter.ToSingle(one, one.Length - 4));
        Assert.Equal(observer.Steps.Select(step => (float)step.Loss), losses);
        Assert.Equal(3, observer.Steps.Count);
    }

    [Fact]
    public void A_run_whose_weights_do_not_fit_is_refused_before_they_are_read()
    {
        var error = Assert.Throws<TrainingException>(() => TrainingRun.Start(Drawn(First) with { MemoryGb = 1e-6 }, _folder.File("run")));

        Assert.Contains("The run needs", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_ends_early_once_measuring_shows_no_gain_and_would_end_there_again()
    {
        // A rate of next to nothing: no measurement is better than the first.
        var recipe = Drawn(First) with { MaxSteps = 9, SaveSteps = 1, LearningRate = 1e-30, ValidationData = TrainingCase.Recipe(First).Data, EvalSteps = 1, EarlyStop = 2 };
        var observer = new RecordingObserver();

        var outcome = TrainingRun.Start(recipe, _folder.File("run"), observer);

        Assert.Equal((3, true), (outcome.Steps, outcome.IsComplete));
        Assert.Equal(3, observer.Steps.Count);
        Assert.Equal(outcome, TrainingRun.Start(recipe, _folder.File("run")));
    }

    [Fact]
    public void A_run_cancelled_at_every_step_goes_on_exactly_where_it_was()
    {
        var recipe = Drawn(First) with { MaxSteps = 5, SaveTotalLimit = 1 };
        TrainingRun.Start(recipe, _folder.File("undisturbed"));

        for (var step = 1; step <= 5; step++)
        {
            using var cancellation = new CancellationTokenSource();
            var observer = new RecordingObserver(_ => cancellation.Cancel());

            var outcome = TrainingRun.Start(recipe, _folder.File("cancelled"), observer, cancellationToken: cancellation.Token);

            Assert.Equal((step, step == 5), (outcome.Steps, outcome.IsComplete));
            Assert.Equal(step - 1, observer.Plans.Single().FirstStep);
            Assert.Equal(step == 5 ? [] : [_folder.File($"cancelled/checkpoint-{step}")], observer.Checkpoints);
        }

        RequireSameWeights("undisturbed", "cancelled");
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Every_training_checkpoint_is_a_complete_checkpoint(string run, bool isPacked)
    {
        var recipe = Drawn(run, isPacked) with { MaxSteps = 3, SaveSteps = 1, SaveTotalLimit = null };
        var observer = new RecordingObserver();

        TrainingRun.Start(recipe, _folder.File("run"), observer);

        Assert.Equal(2, observer.Checkpoints.Count);
        foreach (var folder in observer.Checkpoints.Append(_folder.File("run")))
        {
            if (recipe.Stage == TrainingStage.Alignment)
            {
                using var start = TrainingBase.Load(recipe with { Projector = Path.Combine(folder, "mm_projector.bin") });
                Assert.True(FixtureFolder.Json(folder, "config.json").GetProperty("tune_mm_mlp_adapter").GetBoolean());
            }
            else
            {
                using var checkpoint = CheckpointFolder.Open(folder);
                Assert.Empty(checkpoint.UnusedTensors);
                Assert.NotNull(checkpoint.Config.Vision);
            }
        }
    }

    [Fact]
    public void An_adapter_that_was_trained_is_the_model_that_was_trained()
    {
        var recipe = Drawn(TrainingCase.RunNames.First(run => TrainingCase.Recipe(run).Lora is not null)) with { MaxSteps = 4 };
        TrainingRun.Start(recipe, _folder.File("run"));

        using var scope = TorchSharp.torch.NewDisposeScope();
        using var before = CheckpointFolder.Open(recipe.Base);
        using var after = CheckpointFolder.Open(_folder.File("run"));
        var untouched = before.Tensors.ToDictionary(tensor => tensor.Parameter.Name, tensor => tensor.Read());
        var changed = after.Tensors.Where(tensor => untouched.TryGetValue(tensor.Parameter.Name, out var old) && !old.to(TorchSharp.torch.ScalarType.Float32).Equals(tensor.Read().to(TorchSharp.torch.ScalarType.Float32)))
            .Select(tensor => tensor.Parameter.Name).ToList();

        Assert.Equal(recipe.Base, after.BasePath);
        Assert.Equal(7 * before.Config.LanguageModel.Layers, changed.Count);
        Assert.All(changed, name => Assert.EndsWith("_proj.weight", name, StringComparison.Ordinal));
        Assert.Equal(recipe.Template, after.ConversationTemplate);
    }

    [Fact]
    public void Another_recipe_or_other_data_is_not_resumed_and_says_what_differs()
    {
        var recipe = Drawn(First) with { MaxSteps = 2, SaveSteps = 1 };
        TrainingRun.Start(recipe, _folder.File("run"));
        var copy = _folder.File("data.json");
        File.WriteAllText(copy, File.ReadAllText(recipe.Data) + "\n");

        var error = Assert.Throws<TrainingException>(() => TrainingRun.Start(recipe with { Seed = 7, Data = copy, SaveSteps = 9 }, _folder.File("run")));

        Assert.Contains("differs in seed, the content of data", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bad_samples_refuse_the_data_all_at_once_or_are_left_out_when_asked()
    {
        var recipe = Drawn(First);
        var good = File.ReadAllText(recipe.Data).TrimEnd().TrimEnd(']');
        var count = JsonDocument.Parse(File.ReadAllText(recipe.Data)).RootElement.GetArrayLength();
        File.WriteAllText(_folder.File("data.json"), good + """
            , {"id": "gone", "image": "gone.jpg", "conversations": [{"from": "human", "value": "<image>"}, {"from": "gpt", "value": "A dog."}]}
            , {"id": "formless"} ]
            """);
        recipe = recipe with { Data = _folder.File("data.json"), MaxSteps = 1 };

        var error = Assert.Throws<TrainingValidationException>(() => TrainingRun.Start(recipe with { SkipBadSamples = false }, _folder.File("run")));
        Assert.Contains(error.Findings, finding => finding.Contains("'gone'", StringComparison.Ordinal));
        Assert.Contains(error.Findings, finding => finding.Contains("'formless'", StringComparison.Ordinal));

        var observer = new RecordingObserver();
        TrainingRun.Start(recipe, _folder.File("run"), observer);
        var plan = observer.Plans.Single();
        Assert.Equal(count + 2, plan.Samples + plan.Data.Findings.Select(finding => finding.Index).Distinct().Count());
        Assert.Contains(plan.Data.Findings, finding => finding.Index == count);
    }

    [Fact]
    public void A_finished_run_that_is_asked_for_again_is_left_as_it_is()
    {
        var recipe = Drawn(First) with { MaxSteps = 2 };
        TrainingRun.Start(recipe, _folder.File("run"));
        var written = File.GetLastWriteTimeUtc(_folder.File("run/config.json"));
        var observer = new RecordingObserver();

        var outcome = TrainingRun.Start(recipe, _folder.File("run"), observer);

        Assert.True(outcome.IsComplete);
        Assert.Empty(observer.Steps);
        Assert.Equal(written, File.GetLastWriteTimeUtc(_folder.File("run/config.json")));
    }

    [Fact]
    public void An_image_that_turns_out_unreadable_ends_the_run_with_the_samples_name()
    {
        var recipe = Drawn(First);
        File.WriteAllText(_folder.File("broken.png"), "not a picture");
        File.WriteAllText(_folder.File("data.json"), """[{"id": "torn", "image": "broken.png", "conversations": [{"from": "human", "value": "<image>"}, {"from": "gpt", "value": "A dog."}]}]""");
        recipe = recipe with { Data = _folder.File("data.json"), ImageFolder = _folder.Path, MaxSteps = 1, SkipBadSamples = false };

        Assert.Contains("'torn'", Assert.Throws<TrainingException>(() => TrainingRun.Start(recipe, _folder.File("run"))).Message, StringComparison.Ordinal);
        Assert.Contains("'torn'", Assert.Throws<TrainingValidationException>(() => TrainingRun.Start(recipe with { VerifyImages = true }, _folder.File("run"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_given_order_that_ends_before_the_run_is_refused_before_the_first_step()
    {
        var recipe = TrainingCase.Recipe(First);
        var observer = new RecordingObserver();

        Assert.Throws<TrainingException>(() => TrainingRun.Start(recipe with { MaxSteps = recipe.MaxSteps + 1000 }, _folder.File("run"), observer));

        Assert.Empty(observer.Steps);
    }

    [Fact]
    public void A_new_projector_is_drawn_from_the_seed()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var recipe = Drawn(First) with { Projector = null, ProjectorType = "mlp2x_gelu" };
        var (first, same, other) = (Load(recipe), Load(recipe), Load(recipe with { Seed = 5 }));

        Assert.Equal(4, first.Count);
        Assert.All(first, weight => Assert.InRange(weight.Value.Max(Math.Abs), 0.01, 1));
        Assert.All(first, weight => Assert.Equal(weight.Value, same[weight.Key]));
        Assert.All(first, weight => Assert.NotEqual(weight.Value, other[weight.Key]));
    }

    private static string First => TrainingCase.RunNames.First(run => TrainingCase.Recipe(run).Lora is null);

    /// <summary>The run's recipe with an order drawn from the seed, so that any number of steps can be made.</summary>
    private static TrainingRecipe Drawn(string run, bool isPacked = false)
    {
        var recipe = TrainingCase.Recipe(run) with { DataOrder = null, SkipBadSamples = true };
        return isPacked ? recipe with { Lora = recipe.Lora! with { Nf4 = true, Dropout = 0.1 } } : recipe;
    }

    private static Dictionary<string, float[]> Load(TrainingRecipe recipe)
    {
        using var start = TrainingBase.Load(recipe);
        return start.Model.Projector.named_parameters().ToDictionary(p => p.name, p => p.parameter.data<float>().ToArray());
    }

    private void RequireSameWeights(string expected, string actual)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var file = new[] { "mm_projector.bin", "adapter_model.bin", "model.safetensors" }.Single(name => File.Exists(_folder.File($"{expected}/{name}")));
        using var undisturbed = TensorContainer.Open(_folder.File($"{expected}/{file}"));
        using var resumed = TensorContainer.Open(_folder.File($"{actual}/{file}"));
        Assert.All(undisturbed.Entries, entry => Assert.Equal(undisturbed.Read(entry.Name).bytes.ToArray(), resumed.Read(entry.Name).bytes.ToArray()));
    }
}
