using System.Globalization;
using Llava.Ledger;
using Llava.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Benchmarks;

/// <summary>RabbitMQ and PostgreSQL of a benchmark's own, and the service's processes on them. Commits reach the disk.</summary>
internal sealed class ServiceCluster : IAsyncDisposable
{
    private readonly RabbitServer _broker = new();
    private readonly PostgresServer _database = new(survivesPowerCut: true);
    private readonly List<ServiceProcess> _processes = [];
    private ServiceProvider? _ledger;

    private ServiceCluster()
    {
    }

    /// <summary>Folder for sources and logs; schedulers may read it.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("llava-bench-").FullName;

    /// <summary>Environment of every process.</summary>
    public Dictionary<string, string> Settings { get; } = [];

    /// <summary>The database, for what is measured around the service.</summary>
    public string ConnectionString => _database.ConnectionString("llava");

    /// <summary>The broker's port.</summary>
    public int BrokerPort => _broker.Port;

    /// <summary>Starts the servers.</summary>
    public static async Task<ServiceCluster> StartAsync()
    {
        ServiceCluster cluster = new();
        await Task.WhenAll(cluster._broker.StartAsync(), cluster._database.StartAsync());
        await cluster._database.CreateDatabaseAsync("llava");
        cluster.Configure();
        return cluster;
    }

    /// <summary>A service of the ledger's.</summary>
    public async Task<T> LedgerAsync<T>()
        where T : notnull
    {
        if (_ledger is null)
        {
            _ledger = new ServiceCollection()
                .AddLlavaLedger(options => options.Configure(o => (o.Location, o.PasswordFile) = (Settings["Llava__Ledger__Location"], Settings["Llava__Ledger__PasswordFile"])))
                .BuildServiceProvider();
            await _ledger.GetRequiredService<LedgerSetup>().PrepareAsync();
        }

        return _ledger.GetRequiredService<T>();
    }

    /// <summary>Starts <c>llava serve</c> with these arguments.</summary>
    public ServiceProcess Serve(string name, params string[] arguments)
    {
        ServiceProcess process = new(Path.Combine(Folder, $"{name}.log"), Settings, arguments);
        _processes.Add(process);
        process.Start();
        return process;
    }

    /// <summary>A manifest of numbered text-only questions.</summary>
    public string WriteQuestions(int items)
    {
        var path = Path.Combine(Folder, $"{items}.jsonl");
        if (!File.Exists(path))
        {
            File.WriteAllLines(path, Enumerable.Range(0, items).Select(i => string.Create(CultureInfo.InvariantCulture, $$"""{"id":"q{{i}}","prompt":"question {{i}}"}""")));
        }

        return path;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            await process.DisposeAsync();
        }

        if (_ledger is not null)
        {
            await _ledger.DisposeAsync();
        }

        await _broker.DisposeAsync();
        await _database.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private void Configure()
    {
        Settings["Llava__Transport__Kind"] = "RabbitMq";
        Settings["Llava__Transport__RabbitMq__Host"] = "127.0.0.1";
        Settings["Llava__Transport__RabbitMq__Port"] = _broker.Port.ToString(CultureInfo.InvariantCulture);
        Settings["Llava__Ledger__Location"] = $"Host=127.0.0.1;Port={_database.Port};Database=llava;Username={PostgresServer.User}";
        Settings["Llava__Ledger__PasswordFile"] = _database.PasswordFile;
        Settings["Llava__Scheduler__ImageRoots__0"] = Folder;
        Settings["Llava__Http__Port"] = "0";
    }
}
