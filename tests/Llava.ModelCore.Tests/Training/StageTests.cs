using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Tests.Parity;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Optimizers;

namespace Llava.ModelCore.Tests.Training;

/// <summary>The first stage and the one behind it, as runs of the queue make them, and what runs beside other work or by several processes need.</summary>
public sealed class StageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static TrainingRecipe Given { get; } = TrainingCase.Recipe("stage1");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(OptimizerKind.Adamw8bit, 1, 0, true)]
    [InlineData(OptimizerKind.Adamw, 2, 1, true)]
    [InlineData(OptimizerKind.Adamw, 2, 0, false)]
    [InlineData(OptimizerKind.Adafactor, 1, 0, false)]
    public void Moments_go_to_the_host_where_optimizer_and_processes_can(OptimizerKind optimizer, int processes, int zero, bool expected)
    {
        var recipe = FineTuning.Offload(Given with { Optimizer = optimizer, Processes = processes, Zero = zero });

        Assert.Equal(expected, recipe.OffloadOptimizer);
        Assert.DoesNotContain(RecipeRules.Findings(recipe), finding => finding.Contains("offload_optimizer", StringComparison.Ordinal));
    }

    [Fact]
    public void An_aligned_base_is_opened_as_a_whole_model_and_tuned_with_its_template()
    {
        var alignment = FineTuning.AlignmentFor(Given.Base, Given.VisionTower!, "mlp2x_gelu", "v1") with
        {
            Data = Given.Data, ImageFolder = Given.ImageFolder, MaxSteps = 2, LearningRate = 1e-3, Precision = TrainingPrecision.Fp32,
        };
        TrainingRun.Start(alignment, _folder.File("aligned"));

        using (var aligned = CheckpointFolder.Open(_folder.File("aligned")))
        {
            Assert.Equal((Given.Base, "v1", 2), (aligned.BasePath, aligned.ConversationTemplate, aligned.Config.Projector!.Depth));
            Assert.NotNull(aligned.Config.Vision);
        }

        var tuning = FineTuning.RecipeFor(_folder.File("aligned")) with
        {
            Data = TrainingCase.At("data_instruct.json"), ImageFolder = Given.ImageFolder, SkipBadSamples = true, MaxSteps = 1, LearningRate = 1e-4, Precision = TrainingPrecision.Fp32,
        };
        Assert.Equal((TrainingStage.InstructionTuning, "v1"), (tuning.Stage, tuning.Template));
        TrainingRun.Start(tuning, _folder.File("tuned"));

        using var tuned = CheckpointFolder.Open(_folder.File("tuned"));
        Assert.Equal((null, "v1"), (tuned.BasePath, tuned.ConversationTemplate));
    }

    [Fact]
    public void A_step_that_waited_says_how_long_and_learns_the_same()
    {
        var recipe = Given with { MaxSteps = 3 };
        var (plain, waiting) = (new RecordingObserver(), new Patient());
        TrainingRun.Start(recipe, _folder.File("plain"), plain);

        TrainingRun.Start(recipe with { Tensorboard = true }, _folder.File("waiting"), waiting);

        Assert.Equal(plain.Steps.Select(step => (step.Loss, TimeSpan.Zero)), waiting.Steps.Select(step => (step.Loss, step.Waited - Patient.Each)));
    }

    [Fact]
    public void A_run_is_shared_out_by_as_many_processes_as_its_steps_allow_and_goes_on_as_it_was_begun()
    {
        var recipe = Given with { MicroBatch = 2, GradientAccumulation = 2, MaxSteps = 2, SaveSteps = 1, DataOrder = null };
        Assert.Equal((2, 1), Shared(recipe, most: 3));
        Assert.Equal((1, 0), Shared(recipe with { GradientAccumulation = 1 }, most: 3));
        Assert.Equal((2, 0), Shared(recipe with { Optimizer = OptimizerKind.Adafactor }, most: 2));
        // More is added up than an epoch has.
        Assert.Equal((1, 0), Shared(recipe with { MicroBatch = 64, GradientAccumulation = 2 }, most: 2));

        TrainingRun.Start(recipe with { AutoMicroBatch = true, GradientAccumulation = 1 }, _folder.File("begun"));

        Assert.Equal((1, 0), Shared(recipe with { AutoMicroBatch = true }, most: 2));

        (int Processes, int Zero) Shared(TrainingRecipe asked, int most)
        {
            var shared = FineTuning.ShareOut(asked, _folder.File("begun"), most, zero: 1);
            shared.Check();
            return (shared.Processes, shared.Zero);
        }
    }

    [Fact]
    public void A_template_for_later_belongs_to_alignment_and_must_be_known()
    {
        Assert.Contains("instruction_template is 'v9'", Finding(Given with { InstructionTemplate = "v9" }), StringComparison.Ordinal);
        Assert.Contains("leave it out", Finding(TrainingCase.Recipe("stage2") with { InstructionTemplate = "v1" }), StringComparison.Ordinal);

        static string Finding(TrainingRecipe wrong) => Assert.Single(Assert.Throws<TrainingValidationException>(() => wrong.Check()).Findings);
    }

    private sealed class Patient : ITrainingObserver
    {
        public static readonly TimeSpan Each = TimeSpan.FromMilliseconds(3);

        public List<TrainingProgress> Steps { get; } = [];

        public TimeSpan OnStepDue(CancellationToken stopping) => Each;

        public void OnStep(TrainingProgress progress) => Steps.Add(progress);
    }
}
