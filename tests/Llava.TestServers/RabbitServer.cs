using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Llava.TestServers;

/// <summary>A RabbitMQ broker of Debian's package with its management, reachable as guest from this machine only.</summary>
public sealed class RabbitServer : IAsyncDisposable
{
    private const string Program = "/usr/lib/rabbitmq/bin/rabbitmq-server";

    private readonly ServerFolder _folder = new();
    private readonly int _nodePort = ServerFolder.FreePort();
    private readonly int _mapperPort = ServerFolder.FreePort();
    private readonly int _managementPort = ServerFolder.FreePort();
    private readonly HttpClient _management;
    private int _hosts;

    private RabbitServer()
    {
        _management = new() { BaseAddress = new($"http://127.0.0.1:{_managementPort}/api/") };
        _management.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("guest:guest"u8));
    }

    /// <summary>Port of AMQP on 127.0.0.1.</summary>
    public int Port { get; } = ServerFolder.FreePort();

    private int ProcessId => int.Parse(File.ReadAllText(_folder["pid"]), CultureInfo.InvariantCulture);

    /// <summary>Starts a new, empty broker and waits until it is ready.</summary>
    public static async Task<RabbitServer> CreateAsync()
    {
        if (!File.Exists(Program))
        {
            throw new InvalidOperationException($"There is no '{Program}'; install Debian's package rabbitmq-server, as tests/run.sh does.");
        }

        RabbitServer server = new();
        server.WriteConfiguration();
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts the broker again on what it had on disk.</summary>
    public async Task StartAsync()
    {
        File.Delete(_folder["pid"]);
        ProcessStartInfo start = new("/bin/sh") { WorkingDirectory = _folder.Path };
        foreach (var (name, value) in Surroundings())
        {
            start.Environment[name] = value;
        }

        // In a session of its own, so that a test run that is interrupted does not interrupt the broker's own end.
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add($"exec setsid '{Program}' >'{_folder["log"]}/out' 2>&1 </dev/null");
        Process.Start(start)!.Dispose();
        await ServerFolder.WaitUntilAsync("The broker's start", async () => File.Exists(_folder["pid"]) && await ServerFolder.AcceptsAsync(Port) && (await _management.GetAsync(new Uri("overview", UriKind.Relative))).IsSuccessStatusCode);
    }

    /// <summary>Ends the broker as a power cut does.</summary>
    public async Task KillAsync()
    {
        var process = ProcessId;
        await ProcessSignals.KillAsync(process);
        await ServerFolder.WaitUntilAsync("The broker's end", () => Task.FromResult(!ProcessSignals.Lives(process)));
    }

    /// <summary>Ends the broker in order.</summary>
    public async Task StopAsync()
    {
        var process = ProcessId;
        await ProcessSignals.TerminateAsync(process);
        await ServerFolder.WaitUntilAsync("The broker's end", () => Task.FromResult(!ProcessSignals.Lives(process)));
    }

    /// <summary>Adds an empty virtual host, so that tests share a broker and nothing else.</summary>
    public async Task<RabbitVirtualHost> AddVirtualHostAsync()
    {
        var name = $"v{Interlocked.Increment(ref _hosts)}";
        await PutAsync($"vhosts/{name}", new { });
        await PutAsync($"permissions/{name}/guest", new { configure = ".*", write = ".*", read = ".*" });
        return new(this, name);
    }

    /// <summary>Makes the broker believe that it has no memory left, or again that it has.</summary>
    public Task SetMemoryAlarmAsync(bool isOn) => ControlAsync("set_vm_memory_high_watermark", isOn ? "0.0000001" : "0.6");

    /// <summary>Makes the broker believe that the disk is full, or again that it is not.</summary>
    public Task SetDiskAlarmAsync(bool isOn) => ControlAsync("set_disk_free_limit", isOn ? "900000000000000" : "50000000");

    /// <summary>Runs a script in which <c>rabbitmqctl</c> is this broker's.</summary>
    public Task RunScriptAsync(string script, IReadOnlyDictionary<string, string> variables) => RunAsync("/bin/sh", [script], variables);

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(_folder["pid"]) && ProcessSignals.Lives(ProcessId))
        {
            await KillAsync();
        }

        // The port mapper outlives its node, and lives as long as it believes in it.
        await ServerFolder.WaitUntilAsync("The port mapper's end", async () =>
        {
            await RunAsync("epmd", ["-port", $"{_mapperPort}", "-kill"], new Dictionary<string, string>());
            return true;
        });
        _management.Dispose();
        _folder.Dispose();
    }

    private void WriteConfiguration()
    {
        foreach (var folder in (string[])["mnesia", "log", "home"])
        {
            Directory.CreateDirectory(_folder[folder]);
        }

        File.WriteAllText(_folder["rabbitmq-env.conf"], "");
        File.WriteAllText(_folder["enabled_plugins"], "[rabbitmq_management].");
        File.WriteAllText(_folder["advanced.config"], "[].");
        File.WriteAllText(_folder["rabbitmq.conf"], $"""
            listeners.tcp.1 = 127.0.0.1:{Port}
            management.tcp.ip = 127.0.0.1
            management.tcp.port = {_managementPort}
            collect_statistics_interval = 1000
            vm_memory_high_watermark.absolute = 1GB
            disk_free_limit.absolute = 50MB
            log.console = false
            log.file.level = info
            """);
    }

    private Dictionary<string, string> Surroundings() => new()
    {
        ["HOME"] = _folder["home"],
        ["LANG"] = "C.UTF-8",
        ["RABBITMQ_NODENAME"] = $"t{Port}@localhost",
        ["RABBITMQ_MNESIA_BASE"] = _folder["mnesia"],
        ["RABBITMQ_LOG_BASE"] = _folder["log"],
        ["RABBITMQ_CONFIG_FILE"] = _folder["rabbitmq"],
        ["RABBITMQ_ADVANCED_CONFIG_FILE"] = _folder["advanced.config"],
        ["RABBITMQ_CONF_ENV_FILE"] = _folder["rabbitmq-env.conf"],
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = _folder["enabled_plugins"],
        ["RABBITMQ_PID_FILE"] = _folder["pid"],
        ["RABBITMQ_DIST_PORT"] = $"{_nodePort}",
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1}",
        ["ERL_EPMD_PORT"] = $"{_mapperPort}",
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        ["ERL_MAX_PORTS"] = "65536",
        ["PATH"] = $"/usr/lib/rabbitmq/bin:{Environment.GetEnvironmentVariable("PATH")}",
    };

    private Task ControlAsync(params string[] arguments) => RunAsync("/usr/lib/rabbitmq/bin/rabbitmqctl", arguments, new Dictionary<string, string>());

    private async Task RunAsync(string program, string[] arguments, IReadOnlyDictionary<string, string> variables)
    {
        ProcessStartInfo start = new(program, arguments) { WorkingDirectory = _folder.Path };
        foreach (var (name, value) in Surroundings().Concat(variables))
        {
            start.Environment[name] = value;
        }

        await ServerFolder.RunAsync(start);
    }

    internal async Task PutAsync<T>(string path, T body)
    {
        // The management reads a length and not chunks.
        using StringContent content = new(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        using var answer = await _management.PutAsync(new Uri(path, UriKind.Relative), content);
        answer.EnsureSuccessStatusCode();
    }

    internal async Task<JsonElement?> GetAsync(string path)
    {
        using var answer = await _management.GetAsync(new Uri(path, UriKind.Relative));
        return answer.StatusCode == HttpStatusCode.NotFound ? null : await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
    }
}
