using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Hosting.Transport;
using Llava.Ledger;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Results;
using Llava.Ledger.Workers;
using Llava.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.DistributedTests;

/// <summary>
/// The whole service as real processes: broker, database, two schedulers, two consumers, a dashboard. Of each pair one has a clock that is
/// an hour wrong, which nobody may notice.
/// </summary>
internal sealed class Cluster : IAsyncDisposable
{
    /// <summary>Chunks that one consumer works on at the same time.</summary>
    public const int ChunksOfOne = 16;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly string _folder = Directory.CreateTempSubdirectory("llava-cluster-").FullName;
    private ServiceProvider? _ledger;

    private Cluster()
    {
    }

    public RabbitServer Broker { get; } = new();

    public PostgresServer Database { get; } = new(survivesPowerCut: true);

    public List<ServiceProcess> Schedulers { get; } = [];

    public List<ServiceProcess> Consumers { get; } = [];

    public ServiceProcess Dashboard { get; private set; } = null!;

    private IEnumerable<ServiceProcess> Processes => [.. Schedulers, .. Consumers, Dashboard];

    public JobReader Jobs => _ledger!.GetRequiredService<JobReader>();

    public WorkerRegistry Workers => _ledger!.GetRequiredService<WorkerRegistry>();

    public static async Task<Cluster> StartAsync(string model)
    {
        Cluster cluster = new();
        await Task.WhenAll(cluster.Broker.StartAsync(), cluster.Database.StartAsync());
        await cluster.Database.CreateDatabaseAsync("llava");
        var settings = cluster.Settings();
        var ahead = settings.Concat(SkewedClock.By(TimeSpan.FromHours(1))).ToDictionary();
        var behind = settings.Concat(SkewedClock.By(TimeSpan.FromHours(-1))).ToDictionary();
        cluster.Schedulers.AddRange([new(Log("scheduler-a"), settings, "scheduler"), new(Log("scheduler-b"), behind, "scheduler")]);
        cluster.Consumers.AddRange([new(Log("consumer-a"), settings, "consumer", "--model", model), new(Log("consumer-b"), ahead, "consumer", "--model", model)]);

        cluster._ledger = new ServiceCollection()
            .AddLlavaLedger(options => options.Configure(o => (o.Location, o.PasswordFile) = (settings["Llava__Ledger__Location"], settings["Llava__Ledger__PasswordFile"])))
            .BuildServiceProvider();
        await cluster._ledger.GetRequiredService<LedgerSetup>().PrepareAsync();
        cluster.Dashboard = new(Log("dashboard"), settings, "dashboard");
        cluster.Processes.ToList().ForEach(process => process.Start());
        return cluster;

        string Log(string name) => Path.Combine(cluster._folder, $"{name}.log");
    }

    /// <summary>Somebody with an operator's key, once the dashboard is up.</summary>
    public async Task<HttpClient> CallerAsync()
    {
        var patience = Stopwatch.StartNew();
        Match address;
        while (!(address = Regex.Match(Dashboard.LastWords(), @"Listening on (?<url>http://[\d.:]+?)\.?$", RegexOptions.Multiline)).Success)
        {
            Assert.True(patience.Elapsed < Patience, LastWords());
            await Task.Delay(100);
        }

        var key = await _ledger!.GetRequiredService<ApiKeys>().CreateAsync("tests", "default", AccessRole.Operator);
        return new() { BaseAddress = new(address.Groups["url"].Value), DefaultRequestHeaders = { Authorization = new("Bearer", key.Secret) } };
    }

    /// <summary>Submits numbered text-only questions.</summary>
    public async Task<JobId> SubmitAsync(string model, int items)
    {
        var path = Path.Combine(_folder, $"{items}.jsonl");
        await File.WriteAllLinesAsync(path, Enumerable.Range(0, items).Select(i => string.Create(CultureInfo.InvariantCulture, $$"""{"id":"q{{i}}","prompt":"question {{i}}"}""")));
        JobRequest request = new() { Model = model, Source = new() { Kind = SourceKind.Manifest, Path = path } };
        return (await _ledger!.GetRequiredService<JobSubmission>().SubmitAsync(request)).Id;
    }

    /// <summary>Waits until so many items are done.</summary>
    public async Task WaitForAsync(JobId job, int done)
    {
        var patience = Stopwatch.StartNew();
        while ((await Jobs.ProgressAsync(job)).Done < done)
        {
            Assert.True(patience.Elapsed < Patience, $"{(await Jobs.ProgressAsync(job)).Done} of {done} items are done.\n{LastWords()}");
            await Task.Delay(100);
        }
    }

    /// <summary>Waits until so many items are done; their results in order.</summary>
    public async Task<List<ItemResult>> WaitForResultsAsync(JobId job, int items)
    {
        await WaitForAsync(job, items);
        List<ItemResult> results = [];
        await foreach (var result in _ledger!.GetRequiredService<ResultReader>().StreamAsync(job))
        {
            results.Add(result);
        }

        return results;
    }

    /// <summary>The consumer that calls itself so, which names its process; null when it is none of them any more.</summary>
    public ServiceProcess? Find(string worker) => Consumers.Find(consumer => worker.Contains($"-{consumer.Process.Id}-", StringComparison.Ordinal));

    /// <summary>Waits for the end of the job and checks that each item was answered rightly, once.</summary>
    public async Task AssertCompleteAsync(JobId job, int items)
    {
        await WaitForAsync(job, items);
        var patience = Stopwatch.StartNew();
        while ((await Jobs.ReadAsync(job)).State != JobState.Completed)
        {
            Assert.True(patience.Elapsed < Patience, $"The job is {(await Jobs.ReadAsync(job)).State}.\n{LastWords()}");
            await Task.Delay(100);
        }

        var number = 0;
        await foreach (var result in _ledger!.GetRequiredService<ResultReader>().StreamAsync(job))
        {
            Assert.Equal((number, $"question {number}"), (result.ItemNo, result.Result.Text));
            number++;
        }

        Assert.Equal(items, number);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in Processes)
        {
            await process.DisposeAsync();
        }

        if (_ledger is not null)
        {
            await _ledger.DisposeAsync();
        }

        await Broker.DisposeAsync();
        await Database.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Leases and sweeps short enough for a test to wait for them.</summary>
    private Dictionary<string, string> Settings() => new()
    {
        ["Llava__Transport__Kind"] = "RabbitMq",
        ["Llava__Transport__Drain"] = "00:00:02",
        ["Llava__Transport__RabbitMq__Host"] = "127.0.0.1",
        ["Llava__Transport__RabbitMq__QueueType"] = nameof(QueueType.Classic), // see BrokerFaultTests
        ["Llava__Transport__RabbitMq__Port"] = Broker.Port.ToString(CultureInfo.InvariantCulture),
        ["Llava__Ledger__Location"] = $"Host=127.0.0.1;Port={Database.Port};Database=llava;Username={PostgresServer.User}",
        ["Llava__Ledger__PasswordFile"] = Database.PasswordFile,
        ["Llava__Ledger__Lease"] = "00:00:06",
        ["Llava__Ledger__RepublishAfter"] = "00:00:20",
        ["Llava__Ledger__WorkerExpiry"] = "00:00:06",
        ["Llava__Scheduler__ImageRoots__0"] = _folder,
        ["Llava__Consumer__ConcurrentChunks"] = $"{ChunksOfOne}",
        ["Llava__Scheduler__Sweep"] = "00:00:02",
        ["Llava__Http__Port"] = "0",
        ["Llava__Chat__Secret"] = "a-secret-of-this-cluster",
    };

    private string LastWords() => string.Join("\n\n", Processes.Select(process => process.LastWords()));
}
