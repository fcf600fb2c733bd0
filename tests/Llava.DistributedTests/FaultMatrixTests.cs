using System.Globalization;
using Xunit.Abstractions;

namespace Llava.DistributedTests;

/// <summary>
/// One job, real processes, one fault after the other. A soak is the same test with more of both:
/// <c>LLAVA_SOAK_ITEMS=200000 LLAVA_SOAK_FAULTS=100 tests/run.sh Distributed</c>.
/// </summary>
public sealed class FaultMatrixTests(ITestOutputHelper output)
{
    private const int ItemsAtOnce = 2 * Cluster.ChunksOfOne * 32;
    private const double SecondsPerFault = 4;

    private readonly int _faults = Setting("LLAVA_SOAK_FAULTS", Fault.All.Count);
    private readonly int _items = Setting("LLAVA_SOAK_ITEMS", 20_000);

    [Fact]
    public async Task Whatever_goes_wrong_every_item_is_answered_once()
    {
        Random random = new(20261123);
        // Slow enough for the job to outlast the faults.
        var model = string.Create(CultureInfo.InvariantCulture, $"null-{(int)(_faults * SecondsPerFault * 1000 * ItemsAtOnce / _items)}ms");
        await using var cluster = await Cluster.StartAsync(model);
        var job = await cluster.SubmitAsync(model, _items);
        await cluster.WaitForAsync(job, _items / 100);
        FaultTarget target = new(job, model, _items / 32, random);

        // Every kind once in each round, in another order each time.
        foreach (var (fault, number) in Enumerable.Range(0, int.MaxValue).SelectMany(_ => Fault.All.OrderBy(_ => random.Next())).Take(_faults).Select((fault, number) => (fault, number)))
        {
            var before = (await cluster.Jobs.ProgressAsync(job)).Done;
            output.WriteLine($"{number + 1}: {fault.Name} at {before} items");
            Assert.True(before < _items, "The job was over before the last fault; make it longer.");
            await fault.InjectAsync(cluster, target);
            await Task.Delay(TimeSpan.FromSeconds(random.NextDouble() * 2));
        }

        await cluster.AssertCompleteAsync(job, _items);
    }

    private static int Setting(string name, int usual) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : usual;
}
