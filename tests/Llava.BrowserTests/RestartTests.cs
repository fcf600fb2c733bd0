using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Llava.Contracts.Requests;
using Llava.Ledger;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Llava.BrowserTests;

/// <summary>A dashboard that is killed and started again where it was, under a page that somebody looks at.</summary>
public sealed class RestartTests : IAsyncLifetime
{
    /// <summary>In milliseconds. A browser waits a few seconds before it tries again, and a dashboard takes some to start.</summary>
    private const int Patience = 60_000;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-restart-");
    private readonly int _port = FreePort();
    private ServiceProvider _ledger = null!;
    private ServiceProcess _dashboard = null!;

    private JobSubmission Jobs => _ledger.GetRequiredService<JobSubmission>();

    private JobControl Control => _ledger.GetRequiredService<JobControl>();

    public async Task InitializeAsync()
    {
        _ledger = new ServiceCollection().AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(_folder.FullName, "ledger.db"))).BuildServiceProvider();
        await _ledger.GetRequiredService<LedgerSetup>().PrepareAsync();
        Dictionary<string, string> settings = new() { ["LLAVA_DATA"] = _folder.FullName, ["Llava__Http__Port"] = _port.ToString(CultureInfo.InvariantCulture) };
        _dashboard = new(Path.Combine(_folder.FullName, "dashboard.log"), settings, "dashboard");
        _dashboard.Start();
        await WaitAsync();
    }

    public async Task DisposeAsync()
    {
        await _dashboard.DisposeAsync();
        await _ledger.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_page_says_so_keeps_what_it_shows_and_catches_up_by_itself()
    {
        var before = (await Jobs.SubmitAsync(Request("before"))).Id;
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox", "--disable-dev-shm-usage"] });
        var page = await browser.NewPageAsync();
        await using WatchedPage site = new(page, new($"http://127.0.0.1:{_port}"));
        await site.SignInAsync((await _ledger.GetRequiredService<ApiKeys>().CreateAsync("browser", "default", AccessRole.Operator)).Secret);
        await site.GoAsync("/jobs");
        // Connected: what happens now comes by the stream.
        await Control.PauseAsync(before);
        await ShowsAsync(page, before, "paused");
        await page.EvaluateAsync("() => window.isTheSamePage = true");
        await Row(page, before).Locator("input[type=checkbox]").CheckAsync();

        await _dashboard.KillAsync();
        await Expect(page.Locator("#connection")).ToBeVisibleAsync(new() { Timeout = Patience });
        await Expect(Row(page, before)).ToContainTextAsync("paused");
        var meanwhile = (await Jobs.SubmitAsync(Request("meanwhile"))).Id;
        await Control.CancelAsync(before);
        _dashboard.Start();

        await Expect(page.Locator("#connection")).ToBeHiddenAsync(new() { Timeout = Patience });
        await Expect(Row(page, meanwhile)).ToBeVisibleAsync(new() { Timeout = Patience });
        await ShowsAsync(page, before, "cancelling");
        await Expect(Row(page, before).Locator("input[type=checkbox]")).ToBeCheckedAsync();
        Assert.True(await page.EvaluateAsync<bool>("() => window.isTheSamePage === true"));
        // And goes on from there.
        await Control.PauseAsync(meanwhile);
        await ShowsAsync(page, meanwhile, "paused");
    }

    private static Task ShowsAsync(IPage page, Contracts.JobId job, string state) => Expect(Row(page, job)).ToContainTextAsync(state, new() { Timeout = Patience });

    private static ILocator Row(IPage page, Contracts.JobId job) => page.Locator($"tr[id='{job}']");

    private static JobRequest Request(string folder) => new() { Model = "scenes", Prompt = "Describe.", Source = new() { Kind = SourceKind.Folder, Path = $"/data/{folder}" } };

    private async Task WaitAsync()
    {
        using HttpClient http = new();
        for (var tries = 0; ; tries++)
        {
            try
            {
                using var alive = await http.GetAsync(new Uri($"http://127.0.0.1:{_port}/alive"));
                return;
            }
            catch (HttpRequestException) when (tries < 300)
            {
                await Task.Delay(100);
            }
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
