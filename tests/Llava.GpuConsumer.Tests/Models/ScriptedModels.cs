using System.Collections.Concurrent;
using Llava.GpuConsumer.Runners;
using Llava.Ledger.Results;

namespace Llava.GpuConsumer.Tests.Models;

/// <summary>Models of given sizes that say the prompt back, and a record of what was loaded and unloaded.</summary>
internal sealed class ScriptedModels : IItemRunnerFactory
{
    private readonly ConcurrentDictionary<string, long> _sizes = [];
    private readonly ConcurrentQueue<string> _log = new();

    /// <summary>Loads and unloads in order, as <c>+a</c> and <c>-a</c>.</summary>
    public IReadOnlyList<string> Log => [.. _log];

    /// <summary>Those in memory now.</summary>
    public ConcurrentDictionary<string, bool> InMemory { get; } = [];

    /// <summary>Called while a model is loaded; may wait or throw.</summary>
    public Func<string, Task> Loading { get; set; } = _ => Task.CompletedTask;

    /// <summary>Called while a model's headers are read; may throw.</summary>
    public Action<string> Describing { get; set; } = _ => { };

    /// <summary>Called while a model is tried out; may wait or throw.</summary>
    public Func<string, Task> Trying { get; set; } = _ => Task.CompletedTask;

    /// <summary>Answers.</summary>
    public Func<string, WorkItem, CancellationToken, Task<ItemAnswer>> Answer { get; set; } = (_, item, _) => ScriptedRunner.Echo(item);

    /// <summary>What is wrong with a model's engine.</summary>
    public ConcurrentDictionary<string, string> Problems { get; } = [];

    public ScriptedModels Add(string name, long bytes)
    {
        _sizes[name] = bytes;
        return this;
    }

    public ValueTask<ModelDescription> DescribeAsync(string model, CancellationToken cancellation)
    {
        Describing(model);
        return ValueTask.FromResult(new ModelDescription("r1", 8, _sizes[model]));
    }

    public async ValueTask<IItemRunner> GetAsync(string model, CancellationToken cancellation)
    {
        await Loading(model);
        _log.Enqueue($"+{model}");
        Assert.True(InMemory.TryAdd(model, true));
        return new Runner(this, model);
    }

    private sealed class Runner(ScriptedModels models, string model) : IItemRunner, IAsyncDisposable
    {
        public string Model => model;

        public string Revision => "r1";

        public int Slots => 8;

        public long MemoryBytes => models._sizes[model];

        public Task<ItemAnswer> RunAsync(WorkItem item, CancellationToken cancellation)
        {
            Assert.True(models.InMemory.ContainsKey(model), $"'{model}' was unloaded while it was used.");
            return models.Answer(model, item, cancellation);
        }

        public async Task<ItemAnswer?> TryOutAsync(CancellationToken cancellation)
        {
            await models.Trying(model).WaitAsync(cancellation);
            return new("yes", "stop", new(3, 2), new ItemTimings(1, 1, 1, 1));
        }

        public string? FindProblem(TimeSpan stallAfter) => models.Problems.GetValueOrDefault(model);

        public ValueTask DisposeAsync()
        {
            models._log.Enqueue($"-{model}");
            models.InMemory.Remove(model, out _);
            return ValueTask.CompletedTask;
        }
    }
}
