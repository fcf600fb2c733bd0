using Llava.EndToEndTests;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Llava.BrowserTests;

/// <summary><c>llava up</c> over a ledger with jobs in it, and Chromium looking at it.</summary>
public sealed partial class PagesUnderTest : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-pages-");
    private Process? _server;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Images, one of them damaged and one with a hostile name.</summary>
    public string Images => Path.Combine(_folder.FullName, "images");

    public string Data => Path.Combine(_folder.FullName, "data");

    /// <summary>Address with the one-time token.</summary>
    public Uri Link { get; private set; } = null!;

    /// <summary>A signed-in context: the link is spent on it.</summary>
    public IBrowserContext Context { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        SceneFiles.WriteImages(Images, 6);
        await File.WriteAllBytesAsync(Path.Combine(Images, "empty.png"), []);
        File.Copy(Path.Combine(Images, "scene-0000.png"), Path.Combine(Images, "<img src=x onerror=alert(1)>.png"));
        var run = await LlavaProcess.RunAsync(Data, "annotate", Images, "--max-new-tokens", "48");
        Assert.True(run.ExitCode == 1, run.Errors);

        Link = await StartAsync();
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"],
        });
        Context = await _browser.NewContextAsync();
        await (await Context.NewPageAsync()).GotoAsync(Link.ToString());
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        _server?.Kill(entireProcessTree: true);
        _server?.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>A context without the cookie.</summary>
    public Task<IBrowserContext> StrangerAsync() => _browser!.NewContextAsync();

    private async Task<Uri> StartAsync()
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "llava"), ["up", "--port", "0", "--data", Data]) { RedirectStandardOutput = true };
        _server = Process.Start(start)!;
        var line = await _server.StandardOutput.ReadLineAsync();
        return new Uri(Address().Match(line ?? "").Value);
    }

    [GeneratedRegex(@"http://\S+")]
    private static partial Regex Address();
}
