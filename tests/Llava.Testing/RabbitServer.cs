using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Llava.Testing;

/// <summary>A RabbitMQ of a test's own with its management, reachable as guest from this machine only.</summary>
public sealed class RabbitServer : TestServer
{
    // Not those on the path: they insist on a user and a folder of their own.
    private const string Programs = "/usr/lib/rabbitmq/bin";

    private readonly int _nodePort = FreePort();
    private readonly int _mapperPort = FreePort();
    private readonly int _managementPort = FreePort();
    private readonly HttpClient _management;
    private int _hosts;

    /// <summary>A broker that is not started yet.</summary>
    public RabbitServer()
        : base("rabbit")
    {
        _management = new() { BaseAddress = new($"http://127.0.0.1:{_managementPort}/api/") };
        _management.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("guest:guest"u8));
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<string> Command => [$"{Programs}/rabbitmq-server"];

    /// <inheritdoc/>
    protected override IReadOnlyDictionary<string, string> Variables => new Dictionary<string, string>
    {
        ["HOME"] = Path.Combine(Folder, "home"),
        ["LANG"] = "C.UTF-8",
        ["PATH"] = $"{Programs}:{Environment.GetEnvironmentVariable("PATH")}",
        ["RABBITMQ_NODENAME"] = $"t{Port}@localhost",
        ["RABBITMQ_MNESIA_BASE"] = Path.Combine(Folder, "mnesia"),
        ["RABBITMQ_LOG_BASE"] = Path.Combine(Folder, "log"),
        ["RABBITMQ_CONFIG_FILE"] = Path.Combine(Folder, "rabbitmq"),
        ["RABBITMQ_ADVANCED_CONFIG_FILE"] = Path.Combine(Folder, "advanced.config"),
        ["RABBITMQ_CONF_ENV_FILE"] = Path.Combine(Folder, "rabbitmq-env.conf"),
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(Folder, "enabled_plugins"),
        ["RABBITMQ_PID_FILE"] = Path.Combine(Folder, "pid"),
        ["RABBITMQ_DIST_PORT"] = _nodePort.ToString(CultureInfo.InvariantCulture),
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1}",
        ["ERL_EPMD_PORT"] = _mapperPort.ToString(CultureInfo.InvariantCulture),
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        ["ERL_MAX_PORTS"] = "65536",
    };

    /// <summary>A new broker that answers.</summary>
    public static async Task<RabbitServer> CreateAsync()
    {
        RabbitServer server = new();
        await server.StartAsync();
        return server;
    }

    /// <summary>Adds an empty virtual host, so that tests share a broker and nothing else.</summary>
    public async Task<RabbitVirtualHost> AddVirtualHostAsync()
    {
        var name = $"v{Interlocked.Increment(ref _hosts)}";
        await PutAsync($"vhosts/{name}", new { });
        await PutAsync($"permissions/{name}/guest", new { configure = ".*", write = ".*", read = ".*" });
        return new(this, name);
    }

    /// <summary>Throws away what waits in a queue, where there is one.</summary>
    public Task PurgeAsync(string queue) => RunAsUserAsync("/bin/sh", "-c", $"rabbitmqctl --quiet purge_queue {queue} || true");

    /// <summary>Makes the broker believe that it has no memory left, or again that it has.</summary>
    public Task SetMemoryAlarmAsync(bool isOn) => RunAsUserAsync($"{Programs}/rabbitmqctl", "set_vm_memory_high_watermark", isOn ? "0.0000001" : "0.6");

    /// <summary>Makes the broker believe that the disk is full, or again that it is not.</summary>
    public Task SetDiskAlarmAsync(bool isOn) => RunAsUserAsync($"{Programs}/rabbitmqctl", "set_disk_free_limit", isOn ? "900000000000000" : "50000000");

    /// <summary>Lets every queue of ours hold one message and refuse all others, or again as many as come.</summary>
    public async Task SetFullAsync(bool isOn)
    {
        const string Policy = "policies/%2F/full";
        if (isOn)
        {
            await PutAsync(Policy, new Dictionary<string, object>
            {
                ["pattern"] = @"^llava\.",
                ["apply-to"] = "queues",
                ["definition"] = new Dictionary<string, object> { ["max-length"] = 1, ["overflow"] = "reject-publish" },
            });
        }
        else
        {
            using var answer = await _management.DeleteAsync(new Uri(Policy, UriKind.Relative));
            answer.EnsureSuccessStatusCode();
        }
    }

    /// <summary>The last lines of its log, for a failure's text.</summary>
    public string LastWords() => string.Join('\n', Directory.EnumerateFiles(Path.Combine(Folder, "log"), "*.log").Order(StringComparer.Ordinal).SelectMany(File.ReadLines).TakeLast(80));

    /// <summary>Runs a script in which <c>rabbitmqctl</c> is this broker's.</summary>
    /// <param name="script">The script.</param>
    /// <param name="variables">Its environment, as <c>NAME=value</c>.</param>
    public Task RunScriptAsync(string script, params string[] variables) => RunAsUserAsync(["env", .. variables, "/bin/sh", script]);

    /// <inheritdoc/>
    protected override Task PrepareAsync()
    {
        foreach (var folder in (string[])["mnesia", "log", "home"])
        {
            Directory.CreateDirectory(Path.Combine(Folder, folder));
        }

        Write("rabbitmq-env.conf", "");
        Write("enabled_plugins", "[rabbitmq_management].");
        Write("advanced.config", "[].");
        Write("rabbitmq.conf", $"""
            listeners.tcp.1 = 127.0.0.1:{Port}
            management.tcp.ip = 127.0.0.1
            management.tcp.port = {_managementPort}
            collect_statistics_interval = 1000
            vm_memory_high_watermark.absolute = 1GB
            disk_free_limit.absolute = 50MB
            log.console = false
            log.file.level = info
            """);
        return Task.CompletedTask;

        void Write(string name, string text) => File.WriteAllText(Path.Combine(Folder, name), text);
    }

    /// <inheritdoc/>
    protected override async Task<bool> AnswersAsync()
    {
        try
        {
            // An answer of the management means little while the broker still starts.
            return await GetAsync("health/checks/port-listener/" + Port.ToString(CultureInfo.InvariantCulture)) is not null;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    protected override async Task EndedAsync()
    {
        // The port mapper outlives its node, and will not go as long as it believes in it.
        await RunAsUserAsync("/bin/sh", "-c", $"for i in 1 2 3 4 5 6 7 8 9 10; do epmd -port {_mapperPort} -kill | grep -q Killed && exit; sleep 0.2; done");
    }

    internal async Task PutAsync<T>(string path, T body)
    {
        // The management wants a length and not chunks.
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
