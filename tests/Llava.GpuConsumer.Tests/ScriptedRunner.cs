using System.Collections.Concurrent;
using Llava.GpuConsumer.Runners;
using Llava.Ledger.Results;

namespace Llava.GpuConsumer.Tests;

/// <summary>A model that does what the test says, and counts how often it was asked about each item.</summary>
internal sealed class ScriptedRunner(Func<WorkItem, CancellationToken, Task<ItemAnswer>> answer, int slots = 8) : IItemRunner, IItemRunnerFactory
{
    public const string Name = "scripted";

    private readonly ConcurrentDictionary<int, int> _asked = [];

    public string Model => Name;

    public string Revision => "r7";

    public int Slots => slots;

    public IReadOnlyDictionary<int, int> Asked => _asked;

    public static Task<ItemAnswer> Echo(WorkItem item) => Task.FromResult(new ItemAnswer(item.Prompt, "stop", new(3, 2), new ItemTimings(1, 2, 3, 4)));

    public static async Task<ItemAnswer> HangAsync(CancellationToken cancellation)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
        throw new InvalidOperationException("Nobody waits this long.");
    }

    public Task<ItemAnswer> RunAsync(WorkItem item, CancellationToken cancellation)
    {
        _asked.AddOrUpdate(item.ItemNo, 1, (_, count) => count + 1);
        return answer(item, cancellation);
    }

    public ValueTask<IItemRunner> GetAsync(string model, CancellationToken cancellation) => ValueTask.FromResult<IItemRunner>(this);
}
