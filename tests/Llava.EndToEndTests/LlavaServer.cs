using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Llava.EndToEndTests;

/// <summary><c>llava up</c> over a data folder, and an operator's key for it.</summary>
public sealed partial class LlavaServer : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-server-");
    private Process? _process;

    /// <summary>The folder that the server may read.</summary>
    public string Images => In("images");

    public string Data => In("data");

    public string KeyFile => In("key");

    public string Address { get; private set; } = "";

    public string In(string name) => Path.Combine(_folder.FullName, name);

    public async Task InitializeAsync()
    {
        SceneFiles.WriteImages(Images, 6);
        await File.WriteAllTextAsync(KeyFile, await MakeKeyAsync("operator"));
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "llava"), ["up", "--port", "0", "--data", Data]) { RedirectStandardOutput = true };
        start.Environment["Llava__Scheduler__ImageRoots__0"] = Images;
        start.Environment["Llava__Chat__MaxInFlight"] = "2";
        _process = Process.Start(start)!;
        Address = Origin().Match(await _process.StandardOutput.ReadLineAsync() ?? "").Value;
        Assert.NotEmpty(Address);
    }

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    public async Task<string> MakeKeyAsync(string role, params string[] more)
    {
        var run = await LlavaProcess.RunAsync(Data, ["keys", "create", "--name", "tests", "--role", role, .. more]);
        Assert.True(run.ExitCode == 0, run.Errors);
        return run.Lines[0];
    }

    /// <summary>Runs a command against the server, with a data folder that holds nothing.</summary>
    internal Task<LlavaRun> AskAsync(params string[] arguments) => LlavaProcess.RunAsync(In("nothing"), [.. arguments, "--server", Address, "--api-key-file", KeyFile]);

    /// <summary>Runs a command on the server's ledger.</summary>
    internal Task<LlavaRun> LookAsync(params string[] arguments) => LlavaProcess.RunAsync(Data, arguments);

    [GeneratedRegex(@"http://[^/\s]+")]
    private static partial Regex Origin();
}
