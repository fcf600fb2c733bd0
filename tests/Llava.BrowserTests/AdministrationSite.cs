using System.Diagnostics;
using System.Text.RegularExpressions;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Workers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace Llava.BrowserTests;

/// <summary><c>llava serve dashboard</c> over a ledger in which everything that people name is hostile, and Chromium looking at it.</summary>
public sealed partial class AdministrationSite : IAsyncLifetime
{
    /// <summary>A name that runs a script wherever it is written as HTML.</summary>
    public const string Hostile = "<img src=x onerror=alert(1)>";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-administration-");
    private ServiceProvider _ledger = null!;
    private Process? _server;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public Uri Address { get; private set; } = null!;

    /// <summary>A job of the default tenant.</summary>
    public JobId Job { get; private set; }

    public T Get<T>()
        where T : notnull => _ledger.GetRequiredService<T>();

    public async Task InitializeAsync()
    {
        _ledger = new ServiceCollection().AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(_folder.FullName, "ledger.db"))).BuildServiceProvider();
        await Get<LedgerSetup>().PrepareAsync();
        Job = (await Get<JobSubmission>().SubmitAsync(new() { Model = "scenes", Prompt = Hostile, Source = new() { Kind = SourceKind.Folder, Path = "/data/" + Hostile } })).Id;
        await BeatAsync("host-" + Hostile, slots: 4);
        Address = await StartAsync();
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"],
        });
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
        await _ledger.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>Says that a consumer lives.</summary>
    public Task BeatAsync(string host, int slots) => Get<WorkerRegistry>().HeartbeatAsync(new()
    {
        Id = "worker-1",
        Host = host,
        ProcessId = 4711,
        ProcessStart = TimeSpan.FromMinutes(1),
        Models = [new("scenes", "r1", slots, ModelState.Loaded, 13 << 20), new("broken", "", 0, ModelState.Failed, 0, "No config.json in " + Hostile)],
    });

    /// <summary>A key of this role.</summary>
    public async Task<string> SecretAsync(AccessRole role, string tenant = "default") => (await Get<ApiKeys>().CreateAsync("browser", tenant, role)).Secret;

    /// <summary>A page of a browser in which somebody of this role signed in, watched for whatever a hostile name could do.</summary>
    public async Task<WatchedPage> OpenAsync(AccessRole role, string path = "/", int width = 1280, ColorScheme scheme = ColorScheme.Light)
    {
        var page = await StrangerAsync(width, scheme);
        await page.SignInAsync(await SecretAsync(role));
        await page.GoAsync(path);
        return page;
    }

    /// <summary>A page of a browser in which nobody signed in.</summary>
    public async Task<WatchedPage> StrangerAsync(int width = 1280, ColorScheme scheme = ColorScheme.Light)
    {
        var context = await _browser!.NewContextAsync(new() { ViewportSize = new() { Width = width, Height = 800 }, ColorScheme = scheme });
        return new(await context.NewPageAsync(), Address);
    }

    private async Task<Uri> StartAsync()
    {
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "llava"), ["serve", "dashboard"]) { RedirectStandardOutput = true };
        start.Environment["LLAVA_DATA"] = _folder.FullName;
        start.Environment["Llava__Http__Port"] = "0";
        start.Environment["Llava__SignIn__AttemptsPerMinute"] = "1000";
        _server = Process.Start(start)!;
        while (await _server.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Listening().Match(line) is { Success: true } address)
            {
                return new(address.Value);
            }
        }

        throw new InvalidOperationException("The dashboard ended without listening.");
    }

    [GeneratedRegex(@"http://[0-9.:]+[0-9]")]
    private static partial Regex Listening();
}
