using System.Threading.Channels;
using Llava.GpuConsumer.Runners;
using Llava.Ledger.Workers;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Models;

/// <summary>
/// The models of a consumer, in memory as far as its budget goes. One task loads and unloads, one model at a time; whoever needs
/// a model waits for its turn (<see cref="ModelTurns"/>) and holds it in memory while using it.
/// </summary>
public sealed partial class ModelPool : IAsyncDisposable
{
    /// <summary>A folder that could not be loaded is looked at again this often, so that it can be repaired without a restart.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    private readonly IItemRunnerFactory _runners;
    private readonly ConsumerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<ModelPool> _logger;
    private readonly Lock _gate = new();
    private readonly Channel<bool> _wake = Doorbell();
    private readonly Channel<bool> _changes = Doorbell();
    private readonly CancellationTokenSource _end = new();
    private readonly long _start;
    private readonly Task _tending;
    private volatile Dictionary<string, PooledModel> _models; // changed by replacing it, under the gate
    private bool _isClosed;

    /// <param name="runners">Loads models.</param>
    /// <param name="options">Which models, and for how long a turn.</param>
    /// <param name="budget">Bytes that models may take together.</param>
    /// <param name="time">Clock of the turns.</param>
    /// <param name="logger">Told of every load.</param>
    public ModelPool(IItemRunnerFactory runners, ConsumerOptions options, long budget, TimeProvider time, ILogger<ModelPool> logger)
    {
        (_runners, _options, Budget, _time, _logger) = (runners, options, budget, time, logger);
        _models = options.Models.Distinct().ToDictionary(name => name, name => new PooledModel(name), StringComparer.Ordinal);
        _start = time.GetTimestamp();
        _tending = Task.Run(TendAsync);
    }

    /// <summary>Bytes that models may take together.</summary>
    public long Budget { get; }

    /// <summary>The models in the order in which they were named.</summary>
    public IReadOnlyList<ModelStanding> Standings
    {
        get
        {
            lock (_gate)
            {
                return [.. _models.Values.Where(model => model is { IsHidden: false, IsRetired: false }).Select(Describe)];
            }
        }
    }

    /// <summary>Names of all models that may be asked for, in the order in which they came.</summary>
    public IReadOnlyCollection<string> Names => [.. _models.Values.Where(model => !model.IsRetired).Select(model => model.Name)];

    /// <summary>The models that are in memory.</summary>
    public IReadOnlyList<IItemRunner> Loaded
    {
        get
        {
            lock (_gate)
            {
                return [.. _models.Values.Where(model => model.State == ModelState.Loaded).Select(model => model.Runner).OfType<IItemRunner>()];
            }
        }
    }

    private TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>Reads what each model would take. One that cannot be read is a failed one; its reason stands in <see cref="Standings"/>.</summary>
    /// <exception cref="ModelTooLargeException">Models could never be loaded.</exception>
    public async Task MeasureAsync(CancellationToken cancellation = default)
    {
        foreach (var model in _models.Values)
        {
            await MeasureAsync(model, cancellation);
        }

        lock (_gate)
        {
            var tooLarge = _models.Values.Where(model => model.Bytes > Budget).Select(model => (model.Name, model.Bytes, model.Smaller)).ToList();
            if (tooLarge.Count > 0)
            {
                throw new ModelTooLargeException(tooLarge, Budget);
            }

            var left = Budget;
            foreach (var model in _models.Values.Where(_ => _options.Preload))
            {
                model.IsPreloaded = model.Bytes <= left;
                left -= model.IsPreloaded ? model.Bytes : 0;
            }
        }
    }

    /// <summary>Loads the models that fit together, in the order in which they were named. One that fails is left out.</summary>
    public async Task PreloadAsync(CancellationToken cancellation = default)
    {
        foreach (var model in _models.Values.Where(model => model.IsPreloaded))
        {
            try
            {
                (await UseAsync(model.Name, cancellation)).Dispose();
            }
            catch (ModelUnavailableException)
            {
                // It was logged, and its standing says why.
            }
        }
    }

    /// <summary>The model, loaded; waits while others have their turn.</summary>
    /// <exception cref="ModelUnavailableException">It cannot be loaded, or its engine is broken.</exception>
    /// <exception cref="OperationCanceledException">Given up, or the pool is closed.</exception>
    public async Task<ModelUse> UseAsync(string model, CancellationToken cancellation = default)
    {
        var pooled = _models.TryGetValue(model, out var known) ? known : throw new ArgumentException($"Model '{model}' is none of {string.Join(", ", _models.Keys)}.", nameof(model));
        TaskCompletionSource<PooledModel> place;
        lock (_gate)
        {
            if (_isClosed)
            {
                throw new OperationCanceledException("No more work is begun: this process ends.");
            }

            if (pooled.IsRetired)
            {
                throw new ModelUnavailableException(model, "it was deleted.");
            }

            if (pooled is { State: ModelState.Loaded, IsLeaving: false } && pooled.Runner!.FindProblem(_options.StallAfter) is { } problem)
            {
                throw new ModelUnavailableException(model, problem);
            }

            if (pooled is { State: ModelState.Loaded, IsLeaving: false })
            {
                pooled.BeginUse();
                return Use(pooled);
            }

            if (pooled.State == ModelState.Failed)
            {
                throw new ModelUnavailableException(model, pooled.Failure!);
            }

            place = pooled.Wait(Now);
        }

        Wake();
        await using var givesUp = cancellation.Register(() => place.TrySetCanceled(cancellation));
        return Use(await place.Task);
    }

    /// <summary>Looks again at folders that could not be loaded a while ago.</summary>
    public async Task ReviveAsync(CancellationToken cancellation = default)
    {
        List<PooledModel> failed;
        lock (_gate)
        {
            failed = [.. _models.Values.Where(model => model.State == ModelState.Failed && Now - model.FailedAt >= RetryAfter)];
        }

        foreach (var model in failed)
        {
            await MeasureAsync(model, cancellation);
        }
    }

    /// <summary>Completes when a model came, went or failed since this last completed.</summary>
    public async Task ChangedAsync(CancellationToken cancellation) => await _changes.Reader.ReadAsync(cancellation);

    /// <summary>Lets nobody in any more and sends those away who wait; whoever has a model keeps it until he is done.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            foreach (var model in _models.Values)
            {
                model.Cancel();
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Close();
        await _end.CancelAsync();
        // A load in progress is waited for: ending the process under native code that reads a checkpoint crashes it.
        await _tending;
        foreach (var model in _models.Values.Where(model => model.Runner is not null))
        {
            await DisposeAsync(model.Runner);
        }

        _end.Dispose();
    }

    private static Channel<bool> Doorbell() => Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private static ValueTask DisposeAsync(IItemRunner? runner) => runner is IAsyncDisposable disposable ? disposable.DisposeAsync() : ValueTask.CompletedTask;

    private void Wake() => _wake.Writer.TryWrite(true);

    private ModelStanding Describe(PooledModel model)
    {
        var problem = model.Runner?.FindProblem(_options.StallAfter);
        return new(
            new(model.Name, model.Description?.Revision ?? "", model.Description?.Slots ?? 0, problem is null ? model.State : ModelState.Failed, model.Bytes, problem ?? model.Failure),
            model.IsPreloaded,
            model.IsTriedOut,
            model.Trial);
    }

    private ModelUse Use(PooledModel model) => new(model.Runner!, () =>
    {
        lock (_gate)
        {
            model.EndUse(Now);
        }

        Wake();
    });

    private async Task MeasureAsync(PooledModel model, CancellationToken cancellation)
    {
        try
        {
            var description = await _runners.DescribeAsync(model.Name, cancellation);
            lock (_gate)
            {
                model.Describe(description);
            }
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            Fail(model, failure);
        }

        _changes.Writer.TryWrite(true);
    }

    private async Task TendAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            ModelTurn turn;
            PooledModel? goes;
            lock (_gate)
            {
                turn = Next();
                goes = turn.Leaving.FirstOrDefault(model => model.Users == 0);
            }

            if (goes is not null)
            {
                await UnloadAsync(goes);
            }
            else if (turn.Load is not null)
            {
                await LoadAsync(turn.Load);
            }
            else
            {
                await RestAsync(turn.LookAgain);
            }
        }
    }

    /// <summary>Decides, and lets those in whose model stays.</summary>
    private ModelTurn Next()
    {
        foreach (var model in _models.Values)
        {
            model.Prune();
        }

        var turn = ModelTurns.Next(_models.Values, Budget, _options.Turn, Now);
        turn = turn with { Leaving = [.. turn.Leaving, .. _models.Values.Where(model => model is { IsRetired: true, State: ModelState.Loaded })] };
        foreach (var model in _models.Values)
        {
            model.IsLeaving = turn.Leaving.Contains(model);
            if (model is { State: ModelState.Loaded, IsLeaving: false })
            {
                model.Admit();
            }
        }

        turn.Load?.BeginLoading();
        return turn;
    }

    private async Task LoadAsync(PooledModel model)
    {
        _changes.Writer.TryWrite(true);
        var (before, since) = (Environment.WorkingSet, Now);
        IItemRunner? runner = null;
        try
        {
            runner = await _runners.GetAsync(model.Name, _end.Token);
            var trial = await runner.TryOutAsync(_end.Token);
            long estimate;
            lock (_gate)
            {
                estimate = model.Bytes;
                model.Loaded(runner, trial, Now);
            }

            ModelLoaded(model.Name, runner.Revision, runner.Slots, (Now - since).TotalSeconds, estimate, runner.MemoryBytes, Environment.WorkingSet - before);
            if (runner.MemoryBytes > estimate)
            {
                EstimateWasLow(model.Name, estimate, runner.MemoryBytes);
            }

            if (runner.Statistics?.Notice is { } notice)
            {
                ComputedWithout(model.Name, notice);
            }
        }
        catch (Exception failure)
        {
            await DisposeAsync(runner);
            if (_end.IsCancellationRequested)
            {
                return;
            }

            // Whatever is wrong with one model, the others go on.
            Fail(model, failure);
        }

        _changes.Writer.TryWrite(true);
    }

    private async Task UnloadAsync(PooledModel model)
    {
        try
        {
            await DisposeAsync(model.Runner);
        }
        catch (Exception failure)
        {
            // Its memory may be lost; the others go on.
            UnloadFailed(model.Name, failure);
        }

        lock (_gate)
        {
            model.Unloaded();
            Forget(model);
        }

        ModelUnloaded(model.Name);
        _changes.Writer.TryWrite(true);
    }

    private void Fail(PooledModel model, Exception failure)
    {
        LoadFailed(model.Name, failure);
        lock (_gate)
        {
            model.Failed(failure, Now);
        }
    }

    private async Task RestAsync(TimeSpan longest)
    {
        using var rung = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        var bell = _wake.Reader.WaitToReadAsync(rung.Token).AsTask();
        await Task.WhenAny(bell, Task.Delay(longest, _time, rung.Token));
        await rung.CancelAsync();
        _wake.Reader.TryRead(out _);
    }

    [LoggerMessage(3030, LogLevel.Information, "Model {Model} revision {Revision} with {Slots} slots loaded and tried out in {Seconds:0.0} s: {Estimate} bytes estimated, {Tensors} by its tensors, the process grew by {Growth}")]
    private partial void ModelLoaded(string model, string revision, int slots, double seconds, long estimate, long tensors, long growth);

    [LoggerMessage(3031, LogLevel.Information, "Model {Model} unloaded: another has its turn")]
    private partial void ModelUnloaded(string model);

    [LoggerMessage(3032, LogLevel.Error, "Model {Model} cannot be loaded; its chunks wait, other models go on")]
    private partial void LoadFailed(string model, Exception failure);

    [LoggerMessage(3033, LogLevel.Warning, "Model {Model} takes {Tensors} bytes where {Estimate} were estimated")]
    private partial void EstimateWasLow(string model, long estimate, long tensors);

    [LoggerMessage(3034, LogLevel.Error, "Model {Model} could not be unloaded in order")]
    private partial void UnloadFailed(string model, Exception failure);

    [LoggerMessage(3036, LogLevel.Warning, "Model {Model}: {Notice}")]
    private partial void ComputedWithout(string model, string notice);
}
