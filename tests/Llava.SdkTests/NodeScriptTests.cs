using System.Diagnostics;
using Llava.Testing;

namespace Llava.SdkTests;

/// <summary>The <c>openai</c> package for Node, as published, against a running server: every <c>Node/*.test.mjs</c> is a test.</summary>
[Collection(nameof(ServerUnderTest))]
public sealed class NodeScriptTests(ServerUnderTest server)
{
    private static readonly string Folder = Repository.Path("tests", "Llava.SdkTests", "Node");
    private static readonly Lazy<Task> Packages = new(InstallAsync);

    public static TheoryData<string> Scripts => [.. Directory.EnumerateFiles(Folder, "*.test.mjs").Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Scripts))]
    public async Task The_library_for_node_gets_what_it_expects(string script)
    {
        await Packages.Value;
        var (code, output) = await RunAsync("node", ["--test-reporter=spec", script], server.Variables);

        Assert.True(code == 0, output);
    }

    /// <summary>Installs exactly what the lock file says, once.</summary>
    private static async Task InstallAsync()
    {
        FileInfo installed = new(Path.Combine(Folder, "node_modules", ".package-lock.json"));
        if (!installed.Exists || installed.LastWriteTimeUtc < File.GetLastWriteTimeUtc(Path.Combine(Folder, "package-lock.json")))
        {
            var (code, output) = await RunAsync("npm", ["ci", "--no-audit", "--no-fund"], new Dictionary<string, string>());
            Assert.True(code == 0, output);
        }
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> variables)
    {
        ProcessStartInfo start = new(program, arguments) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var streams = new[] { process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync() };
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Concat(await Task.WhenAll(streams)));
    }
}
