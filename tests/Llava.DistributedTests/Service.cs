using System.Diagnostics;
using System.Globalization;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.GpuConsumer;
using Llava.GpuConsumer.Runners;
using Llava.Hosting.Transport;
using Llava.Ledger;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Scheduler;
using Llava.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.DistributedTests;

/// <summary>Scheduler and consumer of the null model in this process, on a real broker.</summary>
internal sealed class Service : IAsyncDisposable
{
    /// <summary>Password of every user but guest.</summary>
    public const string Password = "a-test's-secret";

    /// <summary>A model that this service has and that answers nothing in a test's time.</summary>
    public const string SlowModel = "null-3600000ms";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly string _folder = Directory.CreateTempSubdirectory("llava-service-").FullName;
    private readonly List<IHost> _hosts = [];
    private readonly LogTail _log = new();

    private readonly QueueType _queueType;

    private Service(RabbitVirtualHost broker, QueueType queueType = QueueType.Quorum) => (Broker, _queueType) = (broker, queueType);

    public RabbitVirtualHost Broker { get; }

    public IServiceProvider Services => _hosts[0].Services;

    /// <summary>Starts both roles as the broker's guest.</summary>
    public static async Task<Service> StartAsync(RabbitServer broker, QueueType queueType = QueueType.Quorum)
    {
        Service service = new(await broker.AddVirtualHostAsync(), queueType);
        await service.AddAsync(services => AddScheduler(services, service._folder));
        await service.AddAsync(services => AddConsumer(services));
        return service;
    }

    /// <summary>Starts each role as the user that <c>compose/rabbitmq/users.sh</c> makes for it.</summary>
    public static async Task<Service> StartAsLeastPrivilegedAsync(RabbitServer broker)
    {
        Service service = new(await broker.AddVirtualHostAsync());
        var passwords = ((string[])["scheduler", "consumer", "producer"]).Select(user => $"LLAVA_{user.ToUpperInvariant()}_PASSWORD_FILE={service.Write($"{user}.secret", [Password])}");
        await broker.RunScriptAsync(Repository.Path("compose", "rabbitmq", "users.sh"), [$"LLAVA_VIRTUAL_HOST={service.Broker.Name}", .. passwords]);
        await service.AddAsync(services => AddScheduler(services, service._folder), "scheduler");
        await service.AddAsync(services => AddConsumer(services), "consumer");
        return service;
    }

    public string Write(string name, IEnumerable<string> lines)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllLines(path, lines);
        return path;
    }

    /// <summary>A request for the null model with numbered text-only questions.</summary>
    public JobRequest Request(int items, string? key = null) => new()
    {
        Model = NullItemRunner.ModelName,
        ChunkItems = 8,
        IdempotencyKey = key,
        Source = new()
        {
            Kind = SourceKind.Manifest,
            Path = Write($"{items}.jsonl", Enumerable.Range(0, items).Select(i => string.Create(CultureInfo.InvariantCulture, $$"""{"id":"q{{i}}","prompt":"question {{i}}"}"""))),
        },
    };

    public async Task<JobRecord> WaitForEndAsync(JobId job)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            var record = await Services.GetRequiredService<JobReader>().ReadAsync(job);
            if (JobStates.Table.IsFinal(record.State))
            {
                return record;
            }

            Assert.True(waited.Elapsed < Patience, $"The job is {record.State} with {(await Services.GetRequiredService<JobReader>().ProgressAsync(job)).Done} items done. Last words:\n{_log}\nThe broker's:\n{Broker.Server.LastWords()}");
            await Task.Delay(50);
        }
    }

    /// <summary>Checks that the job completed with one answer for each of its items.</summary>
    public async Task AssertAnsweredAsync(JobId job, int items)
    {
        Assert.Equal(JobState.Completed, (await WaitForEndAsync(job)).State);
        List<string> answers = [];
        await foreach (var result in Services.GetRequiredService<ResultReader>().StreamAsync(job))
        {
            answers.Add(result.Result.Text!);
        }

        Assert.Equal(Enumerable.Range(0, items).Select(i => $"question {i}"), answers);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in Enumerable.Reverse(_hosts))
        {
            await host.StopAsync();
            await ((IAsyncDisposable)host).DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static void AddScheduler(IServiceCollection services, string folder) => services.AddLlavaScheduler(options => options.Configure(o => o.ImageRoots = [folder]));

    private static void AddConsumer(IServiceCollection services) => services.AddLlavaConsumer(options => options.Configure(o => o.Models = [NullItemRunner.ModelName, SlowModel]));

    private async Task AddAsync(Action<IServiceCollection> addRole, string? user = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration["Llava:Transport:Kind"] = nameof(TransportKind.RabbitMq);
        builder.Configuration["Llava:Transport:Drain"] = "00:00:01";
        builder.Configuration["Llava:Transport:RabbitMq:Host"] = "127.0.0.1";
        builder.Configuration["Llava:Transport:RabbitMq:Port"] = Broker.Server.Port.ToString(CultureInfo.InvariantCulture);
        builder.Configuration["Llava:Transport:RabbitMq:VirtualHost"] = Broker.Name;
        builder.Configuration["Llava:Transport:RabbitMq:QueueType"] = _queueType.ToString();
        if (user is not null)
        {
            builder.Configuration["Llava:Transport:RabbitMq:Username"] = user;
            builder.Configuration["Llava:Transport:RabbitMq:PasswordFile"] = Path.Combine(_folder, $"{user}.secret");
        }

        builder.Logging.SetMinimumLevel(LogLevel.Debug).AddFilter("MassTransit.Messages", LogLevel.Warning).AddFilter("Microsoft", LogLevel.Warning).AddProvider(_log);
        builder.Services.AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(_folder, "ledger.db")));
        addRole(builder.Services);
        builder.Services.AddLlavaTransport(builder.Configuration);
        var host = builder.Build();
        _hosts.Add(host);
        await host.StartAsync();
    }
}
