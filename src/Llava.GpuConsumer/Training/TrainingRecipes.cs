using Llava.Contracts.Requests;
using Llava.GpuConsumer.Models;
using Llava.Ledger.Training;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Optimizers;

namespace Llava.GpuConsumer.Training;

/// <summary>
/// The trainer's recipe of a run: a function of what was asked for, the model it starts from and the number of rows, so that every worker
/// comes to the same.
/// </summary>
internal sealed class TrainingRecipes(ModelLocations models, TrainingFolders folders, TrainingOptions options)
{
    private const int DefaultEpochs = 3;
    private const int AlignmentEpochs = 1;
    private const int LargestChosenBatch = 16;
    private const int RowsPerChosenBatch = 50;
    private const int LongestUnsaved = 500;

    // As in the published recipe: 2e-4 for the adapter, 2e-5 for the projector.
    private const double ProjectorsShare = 10;
    private const int UsualRank = 64;
    private const double UsualDropout = 0.05;

    private const string TrainingRows = "train.jsonl";
    private const string ValidationRows = "valid.jsonl";

    /// <summary>The recipe before anything is chosen: enough to check rows with.</summary>
    /// <exception cref="ModelCore.LlavaException">The model cannot be trained from.</exception>
    public TrainingRecipe Of(TrainingRunRecord run)
    {
        var folder = folders.RunFolder(run.Id);
        return StartOf(run.Request) with
        {
            Data = Path.Combine(folder, TrainingRows),
            ValidationData = run.Request.ValidationFile is null ? null : Path.Combine(folder, ValidationRows),
            ImageFolder = folder,
            Seed = run.Request.Seed,
            Lora = AdapterOf(run.Request.Settings),
            FreezeLanguageModel = run.Request.Settings.Mode == TrainingMode.Projector,
            Device = options.Device,
            Precision = options.Device == "cpu" ? TrainingPrecision.Fp32 : TrainingPrecision.Bf16,
            SaveTotalLimit = options.Checkpoints,
            AutoMicroBatch = true,
            Optimizer = run.Request.Settings.Optimizer switch
            {
                TrainingOptimizer.AdamW8Bit => OptimizerKind.Adamw8bit,
                TrainingOptimizer.Adafactor => OptimizerKind.Adafactor,
                _ => OptimizerKind.Adamw,
            },
        };
    }

    private TrainingRecipe StartOf(TrainingRequest request) =>
        request.Settings.Mode != TrainingMode.Alignment ? FineTuning.RecipeFor(models.FolderOf(request.Model))
        : options.Bases.TryGetValue(request.Model, out var made) ? FineTuning.AlignmentFor(made.Folder, made.VisionTower, made.ProjectorType, made.Template)
        : throw new RunRefusedException(new("unknown_base", $"There is no base '{request.Model}' on this worker; {TrainingOptions.SectionName}:Bases names those there are.", "model"));

    /// <summary>The recipe with everything that was chosen.</summary>
    public TrainingRecipe Of(TrainingRunRecord run, TrainingSettings settings)
    {
        var batch = settings.BatchSize!.Value;
        var micro = Enumerable.Range(1, Math.Min(batch, options.MicroBatch)).Last(size => batch % size == 0);
        return Of(run) with
        {
            LearningRate = settings.LearningRate!.Value,
            ProjectorLearningRate = IsAdapted(settings) ? settings.LearningRate.Value / ProjectorsShare : null,
            Epochs = settings.Epochs!.Value,
            MaxSteps = settings.MaxSteps,
            MicroBatch = micro,
            GradientAccumulation = batch / micro,
            SaveSteps = settings.SaveEvery,
            EvalSteps = run.Request.ValidationFile is null ? null : settings.EvalEvery,
        };
    }

    /// <summary>Chooses what was left open, and counts the optimizer steps.</summary>
    /// <param name="run">The run.</param>
    /// <param name="rows">Rows to learn from.</param>
    public (TrainingSettings Settings, int Steps) Resolve(TrainingRunRecord run, int rows)
    {
        var asked = run.Request.Settings;
        var usual = asked.Mode is TrainingMode.Projector or TrainingMode.Alignment ? 1e-3 : IsAdapted(asked) ? 2e-4 : 2e-5;
        var rate = asked.LearningRate ?? (usual * (asked.LearningRateMultiplier ?? 1));
        var settings = asked with
        {
            Epochs = asked.Epochs ?? (asked.Mode == TrainingMode.Alignment ? AlignmentEpochs : DefaultEpochs),
            BatchSize = asked.BatchSize ?? Math.Clamp(rows / RowsPerChosenBatch, 1, LargestChosenBatch),
            LearningRate = rate,
            LearningRateMultiplier = rate / usual,
        };
        var steps = FineTuning.StepsFor(Of(run, settings), rows);
        // At the end of each epoch, as OpenAI does, but never so seldom that a crash costs much.
        var every = Math.Clamp(steps / settings.Epochs.Value, 1, LongestUnsaved);
        return (settings with { SaveEvery = asked.SaveEvery ?? every, EvalEvery = run.Request.ValidationFile is null ? null : asked.EvalEvery ?? every }, steps);
    }

    private static bool IsAdapted(TrainingSettings settings) => settings.Mode is TrainingMode.Lora or TrainingMode.QLora;

    private static LoraRecipe? AdapterOf(TrainingSettings settings)
    {
        var (asked, rank) = (settings.Lora, settings.Lora?.Rank ?? UsualRank);
        return IsAdapted(settings)
            ? new() { Rank = rank, Alpha = asked?.Alpha ?? (2 * rank), Dropout = asked?.Dropout ?? UsualDropout, Nf4 = settings.Mode == TrainingMode.QLora }
            : null;
    }
}
