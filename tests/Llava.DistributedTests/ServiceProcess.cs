using System.Diagnostics;
using Llava.TestServers;

namespace Llava.DistributedTests;

/// <summary>A <c>llava serve</c> process that a test may kill, freeze, drain and start again.</summary>
internal sealed class ServiceProcess(string log, IReadOnlyDictionary<string, string> settings, params string[] arguments) : IAsyncDisposable
{
    private Process? _process;

    public void Start()
    {
        ProcessStartInfo start = new("/bin/sh") { WorkingDirectory = Path.GetTempPath() };
        foreach (var argument in (string[])["-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1", "sh", log, Path.Combine(AppContext.BaseDirectory, "llava"), "serve", .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
    }

    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks it to end and waits until it has; its exit code.</summary>
    public async Task<int> DrainAsync()
    {
        await ProcessSignals.TerminateAsync(_process!.Id);
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public Task FreezeAsync() => ProcessSignals.FreezeAsync(_process!.Id);

    public Task ThawAsync() => ProcessSignals.ThawAsync(_process!.Id);

    /// <summary>What it logged, for a failure's text.</summary>
    public string LastWords() => File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(15)) : "";

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await KillAsync();
        }

        _process?.Dispose();
    }
}
