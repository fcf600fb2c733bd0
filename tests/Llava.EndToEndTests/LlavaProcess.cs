using System.Diagnostics;
using Llava.Testing;

namespace Llava.EndToEndTests;

/// <summary>The real <c>llava</c> program as a child process, with a data folder of its own.</summary>
internal sealed class LlavaProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    private LlavaProcess(string dataFolder, IEnumerable<string> arguments, params IEnumerable<(string Name, string Value)> variables)
    {
        // A run in the background ignores Ctrl+C, and so would its children.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", Path.Combine(AppContext.BaseDirectory, "llava")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Repository.Root,
        };
        start.Environment["LLAVA_DATA"] = dataFolder;
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start)!;
        _output = _process.StandardOutput.ReadToEndAsync();
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public static LlavaProcess Start(string dataFolder, params string[] arguments) => new(dataFolder, arguments);

    /// <summary>With settings as environment variables.</summary>
    public static LlavaProcess Start(string dataFolder, IReadOnlyDictionary<string, string> settings, params string[] arguments) => new(dataFolder, arguments, settings.Select(setting => (setting.Key, setting.Value)));

    /// <summary>Processes that it started and that live.</summary>
    public IReadOnlyList<Process> Children => ChildrenOf(_process.Id);

    /// <summary>Processes that one started and that live.</summary>
    public static IReadOnlyList<Process> ChildrenOf(int process) => [.. Directory.EnumerateDirectories($"/proc/{process}/task")
        .SelectMany(thread => File.ReadAllText(Path.Combine(thread, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Select(id => Process.GetProcessById(int.Parse(id, null)))];

    /// <summary>Runs to the end.</summary>
    public static async Task<LlavaRun> RunAsync(string dataFolder, params string[] arguments)
    {
        using var process = new LlavaProcess(dataFolder, arguments);
        return await process.FinishAsync();
    }

    /// <summary>Runs to the end with these variables.</summary>
    public static async Task<LlavaRun> RunWithAsync(string dataFolder, IEnumerable<(string Name, string Value)> variables, params string[] arguments)
    {
        using var process = new LlavaProcess(dataFolder, arguments, variables);
        return await process.FinishAsync();
    }

    public async Task<LlavaRun> FinishAsync()
    {
        await _process.WaitForExitAsync();
        return new LlavaRun(_process.ExitCode, await _output, await _errors);
    }

    /// <summary>Waits for the end, or kills with SIGKILL when the time is over; true when it was killed.</summary>
    public async Task<bool> KillAfterAsync(TimeSpan time)
    {
        using var limit = new CancellationTokenSource(time);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
            return false;
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            return true;
        }
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    /// <summary>Presses Ctrl+C.</summary>
    public Task InterruptAsync() => ProcessSignals.InterruptAsync(_process.Id);

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }
}

/// <summary>How a run of the program ended.</summary>
internal sealed record LlavaRun(int ExitCode, string Output, string Errors)
{
    public IReadOnlyList<string> Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
