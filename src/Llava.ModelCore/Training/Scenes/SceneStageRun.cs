using System.Diagnostics;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>What one stage trains, on what, and towards what.</summary>
internal interface ISceneStage
{
    /// <summary>Name in progress reports and of the snapshot.</summary>
    string Name { get; }

    /// <summary>Parameters that the optimizer moves.</summary>
    IReadOnlyList<(string Name, Parameter Value)> Trained { get; }

    /// <summary>Makes the batch of the scenes <paramref name="firstSeed"/>, <paramref name="firstSeed"/> + 1, …; called on another thread.</summary>
    IDisposable MakeBatch(long firstSeed, int count, int maxObjects);

    /// <summary>The loss, a scalar, and the share of the predictions that is right.</summary>
    (Tensor Loss, Tensor Accuracy) Loss(IDisposable batch);

    /// <summary>Accuracy by kind on held-out scenes.</summary>
    IReadOnlyDictionary<string, double> Evaluate(int maxObjects);
}

/// <summary>Where a run stands.</summary>
/// <param name="Stage">Name of the stage.</param>
/// <param name="Step">Optimizer steps made.</param>
/// <param name="Steps">Optimizer steps of the stage.</param>
/// <param name="MaxObjects">Level of the curriculum.</param>
/// <param name="LearningRate">Of the last step.</param>
/// <param name="Loss">Mean since the last report.</param>
/// <param name="Accuracy">Running share of right predictions on training batches.</param>
/// <param name="ImagesPerSecond">Since the stage or its resumption began.</param>
/// <param name="HeldOut">Accuracy by kind on held-out scenes; null where this report has none.</param>
public sealed record SceneProgress(
    string Stage,
    int Step,
    int Steps,
    int MaxObjects,
    double LearningRate,
    double Loss,
    double Accuracy,
    double ImagesPerSecond,
    IReadOnlyDictionary<string, double>? HeldOut);

/// <summary>
/// Runs a stage to its last step: batches are made two ahead on the thread pool, the curriculum moves on when the running
/// accuracy allows it, and a snapshot makes a killed run go on where it was.
/// </summary>
internal sealed class SceneStageRun(ISceneStage stage, SceneStage settings, string folder, int snapshotEvery, Action<SceneProgress> report)
{
    private const int Ahead = 3;
    private const int ReportEvery = 50;
    private const int MeasureEvery = 10;

    private readonly Queue<Task<IDisposable>> _batches = [];
    private int _step;
    private int _requested;
    private int _level;
    private int _levelStart;
    private double _accuracy;

    private string SnapshotPath => Path.Combine(folder, stage.Name + ".safetensors");

    /// <summary>Runs until the last step or until cancelled; either way the last state is saved.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before the last step.</exception>
    public void Run(CancellationToken cancellation)
    {
        using var optimizer = new SceneOptimizer(stage.Trained, settings.WeightDecay);
        Resume(optimizer);
        var (clock, start, lossSum, losses) = (Stopwatch.StartNew(), _step, 0.0, 0);
        try
        {
            while (_step < settings.Steps && !cancellation.IsCancellationRequested)
            {
                var rate = settings.LearningRate * settings.Schedule.FactorAt(_step);
                lossSum += Step(optimizer, rate);
                losses++;
                var isSnapshot = _step % snapshotEvery == 0;
                if (_step % ReportEvery == 0 || isSnapshot)
                {
                    var speed = (_step - start) * settings.BatchSize / clock.Elapsed.TotalSeconds;
                    Report(rate, lossSum / losses, speed, isSnapshot);
                    (lossSum, losses) = (0, 0);
                }

                if (isSnapshot)
                {
                    Save(optimizer);
                }
            }

            Save(optimizer);
            cancellation.ThrowIfCancellationRequested();
        }
        finally
        {
            while (_batches.TryDequeue(out var left))
            {
                left.Result.Dispose();
            }
        }
    }

    private double Step(SceneOptimizer optimizer, double rate)
    {
        using var batch = NextBatch();
        using var scope = NewDisposeScope();
        var (loss, accuracy) = stage.Loss(batch);
        loss.backward();
        optimizer.Step(rate);
        _step++;
        if (_step % MeasureEvery == 0)
        {
            Advance(accuracy.item<float>());
        }

        return loss.item<float>();
    }

    /// <summary>
    /// A batch depends on its number and on the level at the time it is asked for, never on how fast the threads are.
    /// </summary>
    private IDisposable NextBatch()
    {
        while (_batches.Count < Ahead && _requested < settings.Steps)
        {
            var (seed, level) = ((long)_requested * settings.BatchSize, settings.Levels[_level]);
            _batches.Enqueue(Task.Run(() => stage.MakeBatch(seed, settings.BatchSize, level)));
            _requested++;
        }

        return _batches.Dequeue().GetAwaiter().GetResult();
    }

    private void Advance(double accuracy)
    {
        _accuracy = _accuracy == 0 ? accuracy : (0.9 * _accuracy) + (0.1 * accuracy);
        if (_level < settings.Levels.Count - 1 && _step - _levelStart >= settings.MinLevelSteps && _accuracy >= settings.AdvanceAt)
        {
            (_level, _levelStart, _accuracy) = (_level + 1, _step, 0);
        }
    }

    private void Report(double rate, double loss, double speed, bool withHeldOut) => report(new SceneProgress(
        stage.Name, _step, settings.Steps, settings.Levels[_level], rate, loss, _accuracy, speed, withHeldOut ? stage.Evaluate(settings.Levels[^1]) : null));

    private void Save(SceneOptimizer optimizer)
    {
        using var counters = tensor(new[] { _step, _level, _levelStart, _accuracy }, ScalarType.Float64);
        SceneSnapshot.Save(SnapshotPath, [.. Weights(), .. optimizer.State, ("counters", counters)]);
    }

    private void Resume(SceneOptimizer optimizer)
    {
        if (!File.Exists(SnapshotPath))
        {
            return;
        }

        using var counters = zeros(4, ScalarType.Float64);
        SceneSnapshot.Load(SnapshotPath, [.. Weights(), .. optimizer.State, ("counters", counters)]);
        var values = counters.data<double>().ToArray();
        (_step, _level, _levelStart, _accuracy) = ((int)values[0], (int)values[1], (int)values[2], values[3]);
        _level = Math.Min(_level, settings.Levels.Count - 1);
        (_requested, optimizer.Steps) = (_step, _step);
    }

    private IEnumerable<(string Name, Tensor Value)> Weights() => stage.Trained.Select(p => (p.Name, (Tensor)p.Value));
}
