using Llava.Contracts;
using Llava.Contracts.Messages;
using Llava.Hosting.Transport;
using Llava.Testing;

namespace Llava.DistributedTests;

/// <summary>Something that goes wrong, and is over when the task ends.</summary>
/// <param name="Name">What.</param>
/// <param name="InjectAsync">Makes it happen to a cluster that works on a job of a model.</param>
internal sealed record Fault(string Name, Func<Cluster, FaultTarget, Task> InjectAsync)
{
    /// <summary>Longer than a lease of the cluster: whoever sleeps this long has lost what he held.</summary>
    private static readonly TimeSpan LongSleep = TimeSpan.FromSeconds(9);

    private static readonly TimeSpan ShortSleep = TimeSpan.FromSeconds(2);

    /// <summary>Every kind of fault that is tried.</summary>
    public static IReadOnlyList<Fault> All { get; } =
    [
        new("kill a consumer", (cluster, target) => ReplaceAsync(target.Pick(cluster.Consumers))),
        new("kill both consumers", async (cluster, _) => await Task.WhenAll(cluster.Consumers.Select(ReplaceAsync))),
        new("kill a scheduler", (cluster, target) => ReplaceAsync(target.Pick(cluster.Schedulers))),
        new("kill both schedulers", async (cluster, _) => await Task.WhenAll(cluster.Schedulers.Select(ReplaceAsync))),
        new("drain a consumer", async (cluster, target) =>
        {
            var consumer = target.Pick(cluster.Consumers);
            Assert.Equal(0, await consumer.DrainAsync());
            consumer.Start();
        }),
        new("drain a scheduler", async (cluster, target) =>
        {
            var scheduler = target.Pick(cluster.Schedulers);
            Assert.Equal(0, await scheduler.DrainAsync());
            scheduler.Start();
        }),
        new("freeze a consumer past its leases", (cluster, target) => SleepAsync(target.Pick(cluster.Consumers), LongSleep)),
        new("freeze a consumer for a moment", (cluster, target) => SleepAsync(target.Pick(cluster.Consumers), ShortSleep)),
        new("freeze a scheduler", (cluster, target) => SleepAsync(target.Pick(cluster.Schedulers), LongSleep)),
        new("kill the dashboard", (cluster, _) => ReplaceAsync(cluster.Dashboard)),
        new("freeze the dashboard", (cluster, _) => SleepAsync(cluster.Dashboard, ShortSleep)),
        new("kill the broker", async (cluster, _) =>
        {
            await cluster.Broker.KillAsync();
            await cluster.Broker.StartAsync();
        }),
        new("restart the broker", async (cluster, _) =>
        {
            await cluster.Broker.StopAsync();
            await cluster.Broker.StartAsync();
        }),
        new("freeze the broker", (cluster, _) => SleepAsync(cluster.Broker)),
        new("kill the database", async (cluster, _) =>
        {
            await cluster.Database.KillAsync();
            await cluster.Database.StartAsync();
        }),
        new("restart the database", async (cluster, _) =>
        {
            await cluster.Database.StopAsync();
            await cluster.Database.StartAsync();
        }),
        new("freeze the database", (cluster, _) => SleepAsync(cluster.Database)),
        new("memory alarm", async (cluster, _) =>
        {
            await cluster.Broker.SetMemoryAlarmAsync(true);
            await Task.Delay(ShortSleep);
            await cluster.Broker.SetMemoryAlarmAsync(false);
        }),
        new("disk alarm", async (cluster, _) =>
        {
            await cluster.Broker.SetDiskAlarmAsync(true);
            await Task.Delay(ShortSleep);
            await cluster.Broker.SetDiskAlarmAsync(false);
        }),
        new("full queues", async (cluster, _) =>
        {
            await cluster.Broker.SetFullAsync(true);
            await Task.Delay(ShortSleep);
            await cluster.Broker.SetFullAsync(false);
        }),
        new("messages twice and out of order", (cluster, target) => SendAsync(cluster, target, target.Shuffled(chunk => (chunk, chunk % 3)))),
        new("messages of a job that is not there", (cluster, target) => SendAsync(cluster, target with { Job = new(1) }, target.Shuffled(chunk => (chunk, 0)))),
        new("malformed messages", async (cluster, target) =>
        {
            await using var vandal = await ForeignProducer.ConnectAsync(cluster.Broker);
            foreach (var body in (string[])["{not json", "", "[]", "{}"])
            {
                await vandal.SendAsync(ChunkQueue.NameFor(target.Model), body);
            }
        }),
        new("lose all waiting messages", async (cluster, target) =>
        {
            await cluster.Broker.PurgeAsync(ChunkQueue.NameFor(target.Model));
            await cluster.Broker.PurgeAsync(ChunkQueue.NameFor(target.Model, express: true));
        }),
    ];

    private static async Task ReplaceAsync(ServiceProcess process)
    {
        await process.KillAsync();
        process.Start();
    }

    private static async Task SleepAsync(ServiceProcess process, TimeSpan time)
    {
        await process.FreezeAsync();
        await Task.Delay(time);
        await process.ThawAsync();
    }

    private static async Task SleepAsync(TestServer server)
    {
        await server.FreezeAsync();
        await Task.Delay(ShortSleep);
        await server.ResumeAsync();
    }

    private static async Task SendAsync(Cluster cluster, FaultTarget target, IEnumerable<(int Chunk, int Attempt)> chunks)
    {
        await using var producer = await ForeignProducer.ConnectAsync(cluster.Broker);
        foreach (var (chunk, attempt) in chunks)
        {
            await producer.SendAsync(
                ChunkQueue.NameFor(target.Model),
                $$"""{"messageType":["urn:message:{{typeof(RunChunk).Namespace}}:{{nameof(RunChunk)}}"],"message":{"jobId":"{{target.Job}}","chunkNo":{{chunk}},"model":"{{target.Model}}","attempt":{{attempt}} } }""",
                "application/vnd.masstransit+json");
        }
    }
}

/// <summary>What faults are aimed at.</summary>
/// <param name="Job">The job in work.</param>
/// <param name="Model">Its model.</param>
/// <param name="Chunks">Its chunks, about.</param>
/// <param name="Random">Draws victims.</param>
internal sealed record FaultTarget(JobId Job, string Model, int Chunks, Random Random)
{
    public T Pick<T>(IReadOnlyList<T> among) => among[Random.Next(among.Count)];

    /// <summary>Some chunks of the job, some of them twice, in any order.</summary>
    public IEnumerable<(int Chunk, int Attempt)> Shuffled(Func<int, (int Chunk, int Attempt)> make) =>
        Enumerable.Range(0, 100).Select(_ => make(Random.Next(Chunks)));
}
