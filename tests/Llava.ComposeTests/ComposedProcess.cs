using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Llava.Testing;

namespace Llava.ComposeTests;

/// <summary>A container's process without the container: the program with its command and its variables.</summary>
internal sealed class ComposedProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly string _log;
    private readonly int _port;
    private readonly int _metricsPort;
    private readonly IReadOnlyDictionary<string, string> _variables;
    private readonly HttpClient _http = new();
    private readonly Process _process;

    public ComposedProcess(string service, string log, int port, int metricsPort, IReadOnlyDictionary<string, string> variables, IEnumerable<string> command)
    {
        (Service, _log, _port, _metricsPort, _variables) = (service, log, port, metricsPort, variables);
        ProcessStartInfo start = new("/bin/sh") { WorkingDirectory = Path.GetTempPath() };
        foreach (var argument in (string[])["-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1", "sh", log, Program, .. command])
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
    }

    public string Service { get; }

    public Uri Address => new($"http://127.0.0.1:{_port}");

    public string Log => File.Exists(_log) ? File.ReadAllText(_log) : "";

    private static string Program => Path.Combine(AppContext.BaseDirectory, "llava");

    /// <summary>What <c>/health</c> says once it says that all is well.</summary>
    public async Task<JsonElement> WaitUntilReadyAsync()
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            Assert.False(_process.HasExited, $"'{Service}' ended:\n{Log}");
            Assert.True(waited.Elapsed < Patience, $"'{Service}' is not ready:\n{Log}");
            try
            {
                using var answer = await _http.GetAsync(new Uri($"http://127.0.0.1:{_port}/health"));
                if (answer.IsSuccessStatusCode)
                {
                    return await answer.Content.ReadFromJsonAsync<JsonElement>();
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(200);
        }
    }

    public Task<HttpResponseMessage> GetAsync(string path, bool onMetricsPort = false) => _http.GetAsync(new Uri($"http://127.0.0.1:{(onMetricsPort ? _metricsPort : _port)}{path}"));

    /// <summary>What Prometheus would read.</summary>
    public async Task<Metrics> MetricsAsync()
    {
        using var answer = await GetAsync("/metrics", _metricsPort != 0);
        return Metrics.Read(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync());
    }

    /// <summary>Runs the health check of the image; fails when it fails.</summary>
    public string CheckHealth() => Shell.Run(_variables, [Program, .. Dockerfile.Command(Dockerfile.Load().Only("HEALTHCHECK"))[1..]]);

    /// <summary>Ends it as Compose does.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync(TimeSpan grace)
    {
        await ProcessSignals.TerminateAsync(_process.Id);
        await _process.WaitForExitAsync().WaitAsync(grace);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _http.Dispose();
    }
}
