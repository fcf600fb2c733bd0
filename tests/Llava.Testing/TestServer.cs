using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Llava.Testing;

/// <summary>A server process in a temporary folder, on a loopback port of its own, that a test may stop, freeze and kill.</summary>
public abstract class TestServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    // The runner of tests may be killed, and often is once the last test has ended: nothing inside it can be relied on to clean up.
    private const string CleanUpAfterTests = """
        while [ -d "$2" ] && kill -0 "$1" 2>/dev/null; do sleep 1; done
        for process in /proc/[0-9]*; do
          if [ "$process" != "/proc/$$" ] && tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -qF -e "$2"; then kill -9 "${process#/proc/}"; fi
        done 2>/dev/null
        while [ -d "$2" ]; do rm -rf "$2" || sleep 1; done
        """;

    private readonly DirectoryInfo _folder;
    private Process? _process;

    /// <param name="name">What it is, for the folder's name.</param>
    /// <param name="user">User that runs it when the tests run as root, for servers that refuse root; null for root itself.</param>
    protected TestServer(string name, string? user = null)
    {
        _folder = Directory.CreateTempSubdirectory($"llava-{name}-");
        SystemUser = Environment.IsPrivilegedProcess ? user : null;
        Process.Start("setsid", ["/bin/sh", "-c", CleanUpAfterTests, "sh", $"{Environment.ProcessId}", Folder]).Dispose();
    }

    /// <summary>Its loopback port.</summary>
    public int Port { get; } = FreePort();

    /// <summary>Folder that holds all it writes.</summary>
    protected string Folder => _folder.FullName;

    private string? SystemUser { get; }

    private string Log => Path.Combine(Folder, "server.log");

    /// <summary>Starts it, for the first time or again, and returns once it answers.</summary>
    /// <exception cref="InvalidOperationException">It ended, or did not answer within three minutes; its log is in the message.</exception>
    public async Task StartAsync()
    {
        if (SystemUser is not null)
        {
            await RunAsync("chown", SystemUser, Folder);
        }

        await PrepareAsync();

        // The shell is replaced by the server: the process started here is the server itself.
        ProcessStartInfo start = new("/bin/sh") { WorkingDirectory = Folder };
        foreach (var argument in (string[])["-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1", "sh", Log, .. AsUser(Command)])
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in Variables)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        var started = Stopwatch.StartNew();
        while (!await AnswersAsync())
        {
            if (_process.HasExited || started.Elapsed > Patience)
            {
                throw new InvalidOperationException($"The server in '{Folder}' did not start:\n{await File.ReadAllTextAsync(Log)}");
            }

            await Task.Delay(Look);
        }
    }

    /// <summary>Ends it as an operator does, and returns once it ended.</summary>
    public Task StopAsync() => EndAsync(StopSignal, [_process!.Id]);

    /// <summary>Ends it as a power cut does: kill -9, its children included.</summary>
    public Task KillAsync() => EndAsync("KILL", Processes());

    /// <summary>Stops its clock: it neither answers nor closes a connection until resumed.</summary>
    public Task FreezeAsync() => SignalAsync("STOP", Processes());

    /// <summary>Lets a frozen server go on.</summary>
    public Task ResumeAsync() => SignalAsync("CONT", Processes());

    /// <summary>Ends it and deletes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await KillAsync();
        }

        // The children of a killed server may still be at their end, writing.
        for (var tries = 0; _folder.Exists && tries < 100; tries++)
        {
            try
            {
                _folder.Delete(recursive: true);
                _folder.Refresh();
            }
            catch (IOException)
            {
                await Task.Delay(Look);
            }
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Signal that ends the server in an orderly way.</summary>
    protected virtual string StopSignal => "TERM";

    /// <summary>Program and arguments; it must stay in the foreground.</summary>
    protected abstract IReadOnlyList<string> Command { get; }

    /// <summary>Environment variables beside those of the tests.</summary>
    protected virtual IReadOnlyDictionary<string, string> Variables => new Dictionary<string, string>();

    /// <summary>Makes what the server needs before its first start.</summary>
    protected virtual Task PrepareAsync() => Task.CompletedTask;

    /// <summary>Whether the server answers.</summary>
    protected abstract Task<bool> AnswersAsync();

    /// <summary>Ends what the server leaves behind.</summary>
    protected virtual Task EndedAsync() => Task.CompletedTask;

    /// <summary>Runs a program to its end as the server's user, with the server's variables.</summary>
    protected Task RunAsUserAsync(params string[] command) => RunAsync([.. AsUser(["env", .. Variables.Select(variable => $"{variable.Key}={variable.Value}"), .. command])]);

    /// <summary>Below the ports that clients are given: one that tries to reach a stopped server on such a port can end up connected to itself and keep the port.</summary>
    protected static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_000);
            try
            {
                using TcpListener listener = new(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken; another.
            }
        }
    }

    private IEnumerable<string> AsUser(IEnumerable<string> command) =>
        SystemUser is null ? command : ["setpriv", $"--reuid={SystemUser}", $"--regid={SystemUser}", "--clear-groups", .. command];

    private async Task EndAsync(string signal, IReadOnlyList<int> processes)
    {
        await SignalAsync(signal, processes);
        await _process!.WaitForExitAsync().WaitAsync(Patience);
        while (processes.Any(process => Directory.Exists($"/proc/{process}")))
        {
            await Task.Delay(Look);
        }

        await EndedAsync();
    }

    private static Task SignalAsync(string signal, IReadOnlyList<int> processes) =>
        RunAsync(["/bin/sh", "-c", $"kill -s {signal} {string.Join(' ', processes)} 2>/dev/null || true"]);

    /// <summary>The server and all below it; the parents come first, so that none is replaced when they are killed in turn.</summary>
    private List<int> Processes()
    {
        var parents = Directory.EnumerateDirectories("/proc").Select(ReadParent).OfType<(int Process, int Parent)>().ToLookup(pair => pair.Parent, pair => pair.Process);
        List<int> found = [_process!.Id];
        for (var at = 0; at < found.Count; at++)
        {
            found.AddRange(parents[found[at]]);
        }

        return found;
    }

    private static (int Process, int Parent)? ReadParent(string folder)
    {
        try
        {
            // "7 (name) S 1 …"; the name may hold anything.
            var text = int.TryParse(Path.GetFileName(folder), out var process) ? File.ReadAllText(Path.Combine(folder, "stat")) : null;
            return text is null ? null : (process, int.Parse(text[(text.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], null));
        }
        catch (IOException)
        {
            return null; // it ended while we looked
        }
    }

    private static async Task RunAsync(params string[] command)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = "/" })!;
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"'{string.Join(' ', command)}' ended with {process.ExitCode}: {string.Concat(said)}");
        }
    }
}
