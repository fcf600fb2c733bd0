using System.Diagnostics;

namespace Llava.Testing;

/// <summary>
/// A <c>llava serve</c> process that a test may kill, freeze, drain and start again. As under any process manager, one that
/// ends by itself is started again. The program is the one beside the test.
/// </summary>
/// <param name="log">File that takes what it says.</param>
/// <param name="settings">Its environment beside the test's.</param>
/// <param name="arguments">What stands after <c>llava serve</c>.</param>
public sealed class ServiceProcess(string log, IReadOnlyDictionary<string, string> settings, params string[] arguments) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private volatile Process? _process;
    private volatile bool _isWanted;
    private long _logBefore;

    /// <summary>Starts it, for the first time or again.</summary>
    public void Start()
    {
        _logBefore = File.Exists(log) ? new FileInfo(log).Length : 0;
        ProcessStartInfo start = new("/bin/sh") { WorkingDirectory = Path.GetTempPath() };
        foreach (var argument in (string[])["-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1", "sh", log, Path.Combine(AppContext.BaseDirectory, "llava"), "serve", .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        _isWanted = true;
        _process = Process.Start(start)!;
        _ = SuperviseAsync(_process);
    }

    /// <summary>Its process while it runs.</summary>
    public Process Process => _process ?? throw new InvalidOperationException("It was never started.");

    /// <summary>Kills it, and leaves it dead.</summary>
    public async Task KillAsync()
    {
        _isWanted = false;
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks it to end once it is up, and waits until it has ended; its exit code.</summary>
    public async Task<int> DrainAsync()
    {
        var waited = Stopwatch.StartNew();
        while (!SaysItListens())
        {
            if (waited.Elapsed > Patience)
            {
                throw new InvalidOperationException($"'{string.Join(' ', arguments)}' is not up:\n{LastWords()}");
            }

            await Task.Delay(100);
        }

        _isWanted = false;
        await ProcessSignals.TerminateAsync(_process!.Id);
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Stops its clock.</summary>
    public Task FreezeAsync() => ProcessSignals.FreezeAsync(_process!.Id);

    /// <summary>Lets it go on.</summary>
    public Task ThawAsync() => ProcessSignals.ThawAsync(_process!.Id);

    /// <summary>What it logged, for a failure's text.</summary>
    public string LastWords() => File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(15)) : "";

    private async Task SuperviseAsync(Process process)
    {
        await process.WaitForExitAsync();
        await Task.Delay(TimeSpan.FromSeconds(1));
        if (_isWanted && process == _process)
        {
            Start();
        }
    }

    private bool SaysItListens()
    {
        using FileStream file = new(log, FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite);
        file.Position = _logBefore;
        using StreamReader reader = new(file);
        return reader.ReadToEnd().Contains("Listening on ", StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _isWanted = false;
        if (_process is { HasExited: false })
        {
            await KillAsync();
        }

        _process?.Dispose();
    }
}
