using System.Collections.Concurrent;
using Llava.ModelCore.Engine;

namespace Llava.GpuConsumer.Runners;

/// <summary>Loads models the first time they are asked for and keeps them.</summary>
/// <param name="folderOf">Where the checkpoint of a model is.</param>
/// <param name="options">How engines are set up.</param>
/// <param name="time">Clock of the timings.</param>
public sealed class EngineItemRunnerFactory(Func<string, string> folderOf, EngineOptions options, TimeProvider time) : IItemRunnerFactory, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<Task<EngineItemRunner>>> _runners = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public async ValueTask<IItemRunner> GetAsync(string model, CancellationToken cancellation)
    {
        var loading = _runners.GetOrAdd(model, name => new Lazy<Task<EngineItemRunner>>(() => Task.Run(() => Load(name))));
        try
        {
            return await loading.Value.WaitAsync(cancellation);
        }
        catch when (loading.Value.IsFaulted)
        {
            // A repaired checkpoint can be loaded without a restart.
            _runners.TryRemove(new(model, loading));
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var loading in _runners.Values.Where(runner => runner.IsValueCreated).Select(runner => runner.Value))
        {
            // A load in progress is waited for: ending the process under native code that reads a checkpoint crashes it.
            await loading.ContinueWith(_ => { }, TaskScheduler.Default);
            if (loading.IsCompletedSuccessfully)
            {
                await (await loading).DisposeAsync();
            }
        }
    }

    private EngineItemRunner Load(string model) => new(model, LoadedModel.Load(folderOf(model), options, time), options.MaxSlots, time);
}
