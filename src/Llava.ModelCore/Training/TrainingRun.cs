using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Llava.ModelCore.Training.Parallel;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>
/// A run from recipe to model. Data is checked in full before the first step; a run that was stopped or killed is continued
/// from its last training checkpoint, with the same losses as if nothing had happened. Where several ranks train together, each makes the whole run with its part of
/// every step's micro-batches; only rank 0 writes and reports.
/// </summary>
public sealed class TrainingRun : IDisposable
{
    private readonly TrainingRecipe _recipe;
    private readonly TrainingFolder _folder;
    private readonly ITrainingObserver? _observer;
    private readonly ICollective _ranks;
    private readonly TrainingBase _base;
    private readonly TrainingCheckpoint _checkpoint;
    private readonly TrainingData _data;
    private readonly ValidationData? _validation;
    private readonly MemoryPlan _memory;
    private readonly MicroBatchPlan _plan;
    private readonly Trainer _trainer;
    private readonly List<LoggedStep> _log = [];

    private TrainingRun(TrainingRecipe recipe, string outputFolder, ITrainingObserver? observer, long? memory, ICollective ranks)
    {
        recipe.Check();
        if (recipe.Processes != ranks.Size)
        {
            throw new TrainingException($"processes is {recipe.Processes}, but {ranks.Size} take part here. As many must be started as the recipe says.");
        }

        _ranks = ranks;
        _folder = new TrainingFolder(Path.GetFullPath(outputFolder));
        _observer = !IsFirst ? null : recipe.Tensorboard ? new TensorBoardLog(Path.Combine(_folder.Root, "tensorboard"), observer) : observer;
        var onDevices = TrainingDevices.FreeBytes(recipe);
        memory = LeastOf(recipe.MemoryGb is { } given ? (long)(given * (1L << 30)) : onDevices ?? memory);
        MemoryPlan.RequireRoomForWeights(recipe, memory);
        _base = TrainingBase.Load(recipe);
        try
        {
            _data = TrainingData.Open(recipe, _base);
            _validation = recipe.ValidationData is null ? null : ValidationData.Open(recipe, _base);
            _memory = MemoryPlan.Fit(_base.Model.Config, AsBegun(recipe, _folder), _data.Report.Longest, memory);
            _recipe = recipe = _memory.Recipe;
            _checkpoint = new TrainingCheckpoint(_base, recipe);
            _plan = new MicroBatchPlan(_data.OrderFor(recipe), recipe.MicroBatch, recipe.GradientAccumulation);
            if (_plan.BatchesPerStep % ranks.Size != 0)
            {
                throw new TrainingException($"'{recipe.Data}' has only {_plan.BatchesPerStep} micro-batches in an epoch, which {ranks.Size} processes cannot share out alike. Choose a smaller micro_batch, or fewer processes.");
            }

            var steps = recipe.MaxSteps ?? _plan.StepsFor(recipe.Epochs);
            // An order that ends before the run must be found now, not when it ends.
            _plan.MicroBatchesOf(steps - 1);
            _trainer = new Trainer(_base.Model, recipe, steps, ranks);
        }
        catch
        {
            _base.Dispose();
            throw;
        }
    }

    private int Steps => _trainer.Schedule.Steps;

    /// <summary>Whether this is the rank that writes and reports.</summary>
    private bool IsFirst => _ranks.Rank == 0;

    /// <summary>Runs a recipe to its end, or to the step at which it is cancelled. Blocks; call it on a thread of its own.</summary>
    /// <param name="recipe">What to train.</param>
    /// <param name="outputFolder">Gets the model, and training checkpoints in <c>checkpoint-N</c>; the newest is resumed from.</param>
    /// <param name="observer">Told about every step.</param>
    /// <param name="memory">Bytes that this process may take on a CPU where the recipe does not say so; null for any number. On CUDA devices it is what is free there.</param>
    /// <param name="ranks">The processes that train together, as many as the recipe's; null for this one alone. Not disposed.</param>
    /// <param name="cancellationToken">Stops the run, on all ranks, after saving a training checkpoint.</param>
    /// <exception cref="TrainingValidationException">Recipe or data are wrong; all findings at once.</exception>
    /// <exception cref="LlavaException">The base cannot be loaded, a loss is not a number, or a checkpoint cannot be resumed.</exception>
    public static TrainingOutcome Start(
        TrainingRecipe recipe, string outputFolder, ITrainingObserver? observer = null, long? memory = null, ICollective? ranks = null, CancellationToken cancellationToken = default)
    {
        using var run = new TrainingRun(recipe, outputFolder, observer, memory, ranks ?? new SingleRank());
        return run.ToEnd(cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _trainer.Dispose();
        _base.Dispose();
    }

    private TrainingOutcome ToEnd(CancellationToken cancellationToken)
    {
        if (IsFirst)
        {
            _folder.RemoveIncomplete();
        }

        if (Finished() is { } made)
        {
            return new TrainingOutcome(_folder.Root, made.GlobalStep, IsComplete: true);
        }

        var first = Resume();
        RequireSameStart(first);
        _observer?.OnStarted(new TrainingPlan(
            Steps,
            first,
            _data.Order.SamplesPerEpoch,
            _trainer.Gradients.Parameters.Sum(parameter => parameter.Numbers),
            _data.Report,
            _data.Warnings,
            _memory.Estimate,
            _recipe.MicroBatch,
            _recipe.GradientAccumulation,
            _recipe.RecomputeLayers ?? 0));
        try
        {
            TrainFrom(first, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            SaveCheckpoint();
            return new TrainingOutcome(_folder.Root, _trainer.Optimizer.Steps, IsComplete: false);
        }

        if (IsFirst)
        {
            SaveModel();
        }

        return new TrainingOutcome(_folder.Root, _trainer.Optimizer.Steps, IsComplete: true);
    }

    private void TrainFrom(int first, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        // The next step's samples are decoded and tokenized while this one is computed.
        var next = Prepare(first);
        for (var step = first; step < Steps && !HasStoppedImproving(); step++)
        {
            var started = clock.Elapsed;
            var batches = next.GetAwaiter().GetResult();
            next = step + 1 < Steps ? Prepare(step + 1) : next;
            var waited = _observer?.OnStepDue(cancellationToken) ?? TimeSpan.Zero;
            if (_ranks.Size > 1 && _ranks.Any(cancellationToken.IsCancellationRequested))
            {
                throw new OperationCanceledException("A rank was told to stop.");
            }

            var rate = _trainer.LearningRate;
            var (losses, norm) = _trainer.Step(batches, _ranks.Size > 1 ? CancellationToken.None : cancellationToken);
            var took = clock.Elapsed - started - waited;
            var progress = new TrainingProgress
            {
                Step = step + 1,
                Steps = Steps,
                Epoch = _plan.EpochsAfter(step + 1),
                MicroLosses = [.. losses.Select(loss => loss.Value)],
                LearningRate = rate,
                GradientNorm = norm,
                Positions = losses.Sum(loss => loss.Positions),
                Accuracy = (double)losses.Sum(loss => loss.Correct) / losses.Sum(loss => loss.Targets),
                Validation = Measure(step + 1),
                Waited = waited,
                TokensPerSecond = losses.Sum(loss => loss.Positions) / took.TotalSeconds,
                Remaining = clock.Elapsed / (step + 1 - first) * (Steps - step - 1),
            };
            _log.Add(new LoggedStep(progress.Step, progress.Epoch, progress.Loss, rate, norm, progress.Validation?.Loss));
            _observer?.OnStep(progress);
            if (_recipe.SaveSteps is { } every && progress.Step % every == 0 && progress.Step < Steps)
            {
                SaveCheckpoint();
            }
        }
    }

    /// <summary>Whether so many measurements in a row were no better than the best before them; a function of the log, so that a resumed run ends where it would have.</summary>
    private bool HasStoppedImproving()
    {
        List<double> measured = [.. _log.Select(step => step.EvalLoss).OfType<double>()];
        return _recipe.EarlyStop is { } patience && measured.Count > patience && measured.TakeLast(patience).Min() >= measured.SkipLast(patience).Min();
    }

    private ValidationResult? Measure(int step) => _validation is not null && (step == Steps || (_recipe.EvalSteps is { } every && step % every == 0))
        ? _trainer.Measure(_validation.MicroBatches)
        : null;

    private Task<List<TrainingBatch>> Prepare(int step)
    {
        var samples = _plan.MicroBatchesOf(step).Where((_, i) => i % _ranks.Size == _ranks.Rank).ToList();
        return Task.Run(() => samples.ConvertAll(_data.Loader.Load));
    }

    /// <summary>How an earlier process ended that made the model; null where none did. A run may be asked for again, for example by a message delivered twice.</summary>
    private TrainingState? Finished()
    {
        if (!File.Exists(Path.Combine(_folder.Root, TrainingState.FileName)))
        {
            return null;
        }

        var state = TrainingState.Load(_folder.Root);
        state.RequireSameRun(CurrentState(), _folder.Root);
        return state;
    }

    /// <summary>A micro-batch that was chosen when the run began stays what it was.</summary>
    internal static TrainingRecipe AsBegun(TrainingRecipe recipe, TrainingFolder output)
    {
        var folder = File.Exists(Path.Combine(output.Root, TrainingState.FileName)) ? output.Root : output.Steps is [.., var latest] ? output.At(latest) : null;
        if (!recipe.AutoMicroBatch || folder is null)
        {
            return recipe;
        }

        var begun = TrainingState.Load(folder).Recipe;
        return recipe with { MicroBatch = begun.GetProperty("micro_batch").GetInt32(), GradientAccumulation = begun.GetProperty("gradient_accumulation").GetInt32(), AutoMicroBatch = false };
    }

    private int Resume()
    {
        if (_folder.Steps is not [.., var latest])
        {
            return 0;
        }

        var folder = _folder.At(latest);
        var state = TrainingState.Load(folder);
        state.RequireSameRun(CurrentState(), folder);
        _checkpoint.Restore(folder, _trainer.Gradients, state);
        _log.AddRange(state.LogHistory);
        return state.GlobalStep;
    }

    /// <summary>What the rank with the least may take: all must choose the same.</summary>
    private long? LeastOf(long? memory) => _ranks.Gather([memory ?? double.PositiveInfinity]).Min(numbers => numbers[0]) is var least && double.IsFinite(least) ? (long)least : null;

    /// <summary>Refuses to go on with ranks that begin differently: their losses would be those of no run at all.</summary>
    private void RequireSameStart(int first)
    {
        var here = BitConverter.ToInt64(SHA256.HashData(Encoding.UTF8.GetBytes($"{_recipe.ToJson()} {_data.Fingerprint} {first}")));
        var ranks = _ranks.Gather([here >> 32, (uint)here]);
        for (var rank = 1; rank < ranks.Count; rank++)
        {
            if (!ranks[rank].SequenceEqual(ranks[0]))
            {
                throw new TrainingException($"Process {rank} would train something else than process 0: its recipe, its data or the training checkpoints that it sees differ. All must see the same files.");
            }
        }
    }

    private void SaveCheckpoint()
    {
        var step = _trainer.Optimizer.Steps;
        if (_ranks.Any(IsFirst && _folder.Steps.Contains(step)))
        {
            // A run is deterministic, so it would be the same.
            _observer?.OnCheckpoint(_folder.At(step));
        }
        else if (IsFirst)
        {
            _observer?.OnCheckpoint(_folder.Save(step, _recipe.SaveTotalLimit, aside => _checkpoint.Save(aside, _trainer.Gradients, CurrentState())));
        }
        else
        {
            TrainingCheckpoint.Hand(_trainer.Gradients);
        }
    }

    /// <summary>The finished model goes into the output folder itself, in the type it was computed in.</summary>
    private void SaveModel() => _folder.Finish(aside =>
    {
        _checkpoint.SaveWeights(aside, _recipe.Precision == TrainingPrecision.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32, _trainer.Gradients);
        CurrentState().Save(aside);
    });

    private TrainingState CurrentState() => new()
    {
        GlobalStep = _trainer.Optimizer.Steps,
        MaxSteps = Steps,
        Epoch = _plan.EpochsAfter(_trainer.Optimizer.Steps),
        DataFingerprint = _data.Fingerprint,
        Recipe = JsonSerializer.Deserialize<JsonElement>(_recipe.ToJson()),
        LogHistory = [.. _log],
    };
}

/// <summary>How a run ended.</summary>
/// <param name="Folder">Output folder; holds the model when the run is complete.</param>
/// <param name="Steps">Optimizer steps done.</param>
/// <param name="IsComplete">False when it was cancelled; starting the same recipe with the same folder goes on.</param>
public sealed record TrainingOutcome(string Folder, int Steps, bool IsComplete);
