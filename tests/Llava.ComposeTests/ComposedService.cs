using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.DistributedTests;
using Llava.Hosting.Transport;
using Llava.Ledger;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Results;
using Llava.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.ComposeTests;

/// <summary>
/// The service as compose.yaml describes it, without containers: the same program, commands, variables, users and secrets, with
/// host names, ports and folders of this machine in their places. A job and a batch run through it.
/// </summary>
public sealed class ComposedService : IAsyncLifetime
{
    /// <summary>Good images, a damaged one and one that is not there.</summary>
    public const int Answered = 6;
    public const int Failed = 2;

    /// <summary>Lines of the batch.</summary>
    public const int Lines = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly string _folder = Directory.CreateTempSubdirectory("llava-compose-").FullName;
    private readonly RabbitServer _broker = new();
    private readonly PostgresServer _database = new();
    private readonly Collector _collector = new(FreePort());
    private readonly List<ComposedProcess> _processes = [];
    private readonly ComposeFile _compose;
    private ServiceProvider? _ledger;
    private ApiCaller? _api;

    public ComposedService() => _compose = ComposeFile.Load("compose.yaml", new Dictionary<string, string>
    {
        ["LLAVA_IMAGES_FOLDER"] = Path.Combine(_folder, "images"),
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = _collector.Address,
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_TRACES_SAMPLER"] = "always_on",
    });

    /// <summary>The job.</summary>
    public JobId Job { get; private set; }

    /// <summary>The lines that the batch was answered with.</summary>
    public IReadOnlyList<string> BatchAnswers { get; private set; } = [];

    /// <summary>An operator's program that speaks to the dashboard.</summary>
    internal ApiCaller Api => _api!;

    internal IReadOnlyList<ComposedProcess> Processes => _processes;

    internal JobReader Jobs => _ledger!.GetRequiredService<JobReader>();

    internal ResultReader Results => _ledger!.GetRequiredService<ResultReader>();

    internal Collector Collector => _collector;

    public async Task InitializeAsync()
    {
        Shell.Run("sh", Repository.Path("compose", "secrets.sh"), Path.Combine(_folder, "secrets"));
        // One drawn password in 64 looks like an option.
        var drawn = Path.Combine(_folder, "secrets", "broker-scheduler");
        await File.WriteAllTextAsync(drawn, "-" + await File.ReadAllTextAsync(drawn));
        await Task.WhenAll(_broker.StartAsync(), _database.StartAsync());
        await _broker.RunScriptAsync(Repository.Path("compose", "rabbitmq", "users.sh"), [.. Variables("broker-users").Where(pair => pair.Key.StartsWith("LLAVA_", StringComparison.Ordinal)).Select(pair => $"{pair.Key}={pair.Value}")]);
        Shell.Run(
            new Dictionary<string, string>(Variables("database"))
            {
                ["PGHOST"] = "127.0.0.1",
                ["PGPORT"] = Text(_database.Port),
                ["PGPASSWORD"] = (await File.ReadAllTextAsync(_database.PasswordFile)).Trim(),
                ["POSTGRES_USER"] = PostgresServer.User,
            },
            "sh", Repository.Path("compose", "postgres", "ledger.sh"));
        WriteSource();
        foreach (var service in (string[])["scheduler", "consumer", "dashboard"])
        {
            var replicas = _compose.Services[service]!["deploy"]?["replicas"]?.GetValue<int>() ?? 1;
            _processes.AddRange(Enumerable.Range(0, replicas).Select(replica => Start(service, $"{replica}")));
        }

        var settings = Variables("scheduler");
        _ledger = new ServiceCollection()
            .AddLlavaLedger(options => options.Configure(o => (o.Location, o.PasswordFile) = (settings["Llava__Ledger"], settings["Llava__Ledger__PasswordFile"])))
            .BuildServiceProvider();
        await Task.WhenAll(_processes.Select(process => process.WaitUntilReadyAsync()));
        Job = await SubmitAsync();
        await WaitForEndAsync();
        var key = await _ledger.GetRequiredService<ApiKeys>().CreateAsync("compose", "default", AccessRole.Operator);
        _api = new(_processes.Single(process => process.Service == "dashboard").Address, key.Secret);
        BatchAnswers = await RunBatchAsync();
    }

    public async Task DisposeAsync()
    {
        _api?.Dispose();
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
        _collector.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>All processes' metrics together.</summary>
    internal async Task<IReadOnlyList<Metrics>> MetricsAsync() => await Task.WhenAll(_processes.Select(process => process.MetricsAsync()));

    /// <summary>How long Compose waits before it kills a service.</summary>
    internal TimeSpan GraceOf(string service) => TimeSpan.FromSeconds(int.Parse(_compose.Services[service]!["stop_grace_period"]!.ToString().TrimEnd('s'), CultureInfo.InvariantCulture));

    /// <summary>Starts one more process of a service.</summary>
    internal ComposedProcess Start(string service, string replica)
    {
        var variables = Variables(service);
        var (port, metricsPort) = (FreePort(), variables.ContainsKey("Llava__Http__MetricsPort") ? FreePort() : 0);
        variables["Llava__Http__Port"] = Text(port);
        variables["Llava__Http__MetricsPort"] = Text(metricsPort);
        return new(service, Path.Combine(_folder, $"{service}-{replica}.log"), port, metricsPort, variables, _compose.ListOf(service, "command"));
    }

    /// <summary>The service's variables, with this machine's names for what only the containers know.</summary>
    private Dictionary<string, string> Variables(string service)
    {
        // A volume with a name is the same folder to every service.
        var folders = _compose.ListOf(service, "volumes").Select(volume => volume.Split(':'))
            .ToDictionary(parts => parts[1], parts => Path.GetFullPath(parts[0], parts[0].StartsWith('.') ? Repository.Path("compose") : Path.Combine(_folder, "volumes")));
        var variables = _compose.EnvironmentOf(service).ToDictionary(pair => pair.Key, pair => pair.Value switch
        {
            "broker" => "127.0.0.1",
            var secret when secret.StartsWith("/run/secrets/", StringComparison.Ordinal) => Path.Combine(_folder, "secrets", Path.GetFileName(secret)),
            var value => folders.GetValueOrDefault(value, value.Replace("Host=database;", $"Host=127.0.0.1;Port={_database.Port};", StringComparison.Ordinal)),
        });
        if (variables.ContainsKey("Llava__Transport__RabbitMq__Host"))
        {
            variables["Llava__Transport__RabbitMq__Port"] = Text(_broker.Port);
        }

        return variables;
    }

    private void WriteSource()
    {
        var images = Directory.CreateDirectory(Path.Combine(_folder, "images")).FullName;
        var names = Directory.EnumerateFiles(Repository.Path("samples", "images"), "*.png").Order(StringComparer.Ordinal).Take(Answered).Select(Path.GetFileName).ToList();
        names.ForEach(name => File.Copy(Repository.Path("samples", "images", name!), Path.Combine(images, name!)));
        File.WriteAllText(Path.Combine(images, "damaged.png"), "no image");
        File.WriteAllLines(Path.Combine(images, "items.jsonl"), [.. names.Append("damaged.png").Append("missing.png").Select(name => $$"""{"image":"{{name}}"}""")]);
    }

    private async Task<JobId> SubmitAsync()
    {
        var password = (await File.ReadAllTextAsync(Path.Combine(_folder, "secrets", "broker-producer"))).Trim();
        await using var producer = await ForeignProducer.ConnectAsync(_broker, "/", "producer", password);
        // The producer sees paths as the containers do; here they are this machine's.
        var source = Path.Combine(_folder, "images", "items.jsonl");
        await producer.SendAsync(SubmissionQueue.Name, $$$"""{"request":{"model":"llava-scenes","prompt":"Describe this image.","source":{"kind":"manifest","path":"{{{source}}}"},"generation":{"max_new_tokens":16},"chunk_items":2,"idempotency_key":"compose"}}""");
        var waited = Stopwatch.StartNew();
        while (true)
        {
            if ((await Jobs.ListAsync(new JobFilter())).FirstOrDefault() is { } job)
            {
                return job.Id;
            }

            Assert.True(waited.Elapsed < Patience, $"No job came:\n{Logs}");
            await Task.Delay(100);
        }
    }

    private async Task WaitForEndAsync()
    {
        var waited = Stopwatch.StartNew();
        while (await Jobs.ReadAsync(Job) is var job && !(JobStates.Table.IsFinal(job.State) && job.FinalProgress is not null))
        {
            Assert.True(waited.Elapsed < Patience, $"The job is {job.State}:\n{Logs}");
            await Task.Delay(100);
        }
    }

    private async Task<string[]> RunBatchAsync()
    {
        var lines = SceneLines.Of(Lines).Select((image, number) => JsonSerializer.Serialize(new
        {
            custom_id = $"line-{number}",
            method = "POST",
            url = "/v1/chat/completions",
            body = new { model = "llava-scenes", max_tokens = 8, messages = new[] { SceneLines.Question(image) } },
        }));
        var batch = await Api.CreateAsync("/v1/batches", new { input_file_id = await Api.SendAsync(lines, "batch"), endpoint = "/v1/chat/completions", completion_window = "24h" });
        var ended = await Api.UntilAsync($"/v1/batches/{batch}", "completed");
        return await Api.ReadAsync(ended.GetProperty("output_file_id").GetString()!);
    }

    private string Logs => string.Join('\n', _processes.Select(process => $"{process.Service}:\n{process.Log}"));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
