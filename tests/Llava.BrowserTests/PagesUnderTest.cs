using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Llava.EndToEndTests;
using Microsoft.Playwright;

namespace Llava.BrowserTests;

/// <summary><c>llava up</c> over a ledger with jobs in it, and Chromium looking at it; one for all tests.</summary>
public sealed partial class PagesUnderTest : IAsyncLifetime
{
    /// <summary>What a page would run if it took a text for HTML.</summary>
    public const string Hostile = "<img src=x onerror=alert(1)>";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-pages-");
    private Process? _server;
    private IPlaywright? _playwright;

    /// <summary>Eight images, one of them damaged and one with a hostile name.</summary>
    public string Images => Path.Combine(_folder.FullName, "images");

    public string Data => Path.Combine(_folder.FullName, "data");

    /// <summary>Address with the one-time token.</summary>
    public Uri Link { get; private set; } = null!;

    /// <summary>A signed-in context: the link is spent on it.</summary>
    public IBrowserContext Context { get; private set; } = null!;

    public IBrowser Browser { get; private set; } = null!;

    /// <summary>A job on <see cref="Images"/> of which one item failed.</summary>
    public string Job { get; private set; } = "";

    /// <summary>The same images with another, hostile prompt.</summary>
    public string Other { get; private set; } = "";

    /// <summary>A job whose items are for reviewing alone.</summary>
    public string Reviewed { get; private set; } = "";

    /// <summary>A job whose failed item is tried again.</summary>
    public string Steered { get; private set; } = "";

    /// <summary>Every page that shows something of these jobs.</summary>
    public IReadOnlyList<string> Paths =>
        ["/", "/jobs", $"/jobs/{Job}", $"/jobs/{Job}/gallery", $"/jobs/{Other}/gallery", $"/jobs/{Job}/items/0", $"/jobs/{Job}/again", $"/compare?left={Job}&right={Other}", "/compare", "/playground"];

    public async Task InitializeAsync()
    {
        SceneFiles.WriteImages(Images, 6);
        await File.WriteAllBytesAsync(Path.Combine(Images, "empty.png"), []);
        File.Copy(Path.Combine(Images, "scene-0000.png"), Path.Combine(Images, Hostile + ".png"));
        Job = await AnnotateAsync("Describe this image.");
        Other = await AnnotateAsync($"How many objects are there? {Hostile}");
        Reviewed = await AnnotateAsync("What color is it?");
        Steered = await AnnotateAsync("Where is it?");
        Link = await StartAsync();
        _playwright = await Playwright.CreateAsync();
        Browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"],
        });
        Context = await Browser.NewContextAsync();
        await (await Context.NewPageAsync()).GotoAsync(Link.ToString());
    }

    public async Task DisposeAsync()
    {
        if (Browser is not null)
        {
            await Browser.DisposeAsync();
        }

        _playwright?.Dispose();
        _server?.Kill(entireProcessTree: true);
        _server?.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>A context without the cookie.</summary>
    public Task<IBrowserContext> StrangerAsync() => Browser.NewContextAsync();

    /// <summary>A context of its own with the cookie.</summary>
    public async Task<IBrowserContext> SignedInAsync(BrowserNewContextOptions? options = null)
    {
        options ??= new();
        options.StorageState = await Context.StorageStateAsync();
        return await Browser.NewContextAsync(options);
    }

    /// <summary>Opens a page of the site.</summary>
    public async Task<IPage> OpenAsync(string path, IBrowserContext? context = null)
    {
        var page = await (context ?? Context).NewPageAsync();
        await page.GotoAsync(new Uri(Link, path).ToString());
        return page;
    }

    /// <summary>Runs a job to its end and returns its id; only before the server works on the same ledger.</summary>
    private async Task<string> AnnotateAsync(string prompt)
    {
        var run = await LlavaProcess.RunAsync(Data, "annotate", Images, "--max-new-tokens", "32", "--prompt", prompt);
        Assert.True(run.ExitCode == 1, run.Errors);
        var status = await LlavaProcess.RunAsync(Data, "status", "--json");
        return JsonDocument.Parse(status.Lines[0]).RootElement.GetProperty("id").GetString()!;
    }

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

/// <summary>All tests share the server and the browser.</summary>
[CollectionDefinition(Name)]
public sealed class SharedPages : ICollectionFixture<PagesUnderTest>
{
    public const string Name = "pages";
}
