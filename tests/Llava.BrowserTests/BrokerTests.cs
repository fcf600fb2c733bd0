using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Llava.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Llava.BrowserTests;

/// <summary>A dashboard on a broker that goes away and comes back.</summary>
public sealed partial class BrokerTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-broker-");
    private RabbitServer _broker = null!;
    private string _key = "";
    private Process? _dashboard;

    public async Task InitializeAsync()
    {
        _broker = await RabbitServer.CreateAsync();
        using var keys = Run("keys", "create", "--name", "tests", "--role", "admin");
        _key = (await keys.StandardOutput.ReadToEndAsync()).Trim();
        _dashboard = Run("serve", "dashboard");
    }

    public async Task DisposeAsync()
    {
        _dashboard?.Kill(entireProcessTree: true);
        _dashboard?.Dispose();
        await _broker.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_broker_that_is_away_is_a_banner_within_five_seconds_until_it_is_back()
    {
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox", "--disable-dev-shm-usage"] });
        var page = await browser.NewPageAsync();
        await using WatchedPage site = new(page, new(await AddressAsync()));
        await site.SignInAsync(_key);
        var banner = page.Locator(".banner", new() { HasText = "The broker does not answer." });
        await Expect(page.Locator("tr:has-text('Broker') .state")).ToHaveTextAsync("healthy", new() { Timeout = 30_000 });
        await Expect(banner).ToHaveCountAsync(0);

        await _broker.KillAsync();
        await Expect(banner).ToBeVisibleAsync(new() { Timeout = 5_000 });

        await _broker.StartAsync();
        await Expect(banner).ToHaveCountAsync(0, new() { Timeout = 30_000 });
    }

    private Process Run(params string[] arguments)
    {
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "llava"), arguments) { RedirectStandardOutput = true };
        start.Environment["LLAVA_DATA"] = _folder.FullName;
        start.Environment["Llava__Http__Port"] = "0";
        start.Environment["Llava__Transport__Kind"] = "RabbitMq";
        start.Environment["Llava__Transport__RabbitMq__Host"] = "127.0.0.1";
        start.Environment["Llava__Transport__RabbitMq__QueueType"] = "Classic";
        start.Environment["Llava__Transport__RabbitMq__Port"] = _broker.Port.ToString(CultureInfo.InvariantCulture);
        return Process.Start(start)!;
    }

    private async Task<string> AddressAsync()
    {
        while (await _dashboard!.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Listening().Match(line) is { Success: true } address)
            {
                // What it says from here on nobody needs, but a full pipe would hold it up.
                _ = _dashboard.StandardOutput.ReadToEndAsync();
                return address.Groups["url"].Value;
            }
        }

        throw new InvalidOperationException("The dashboard ended without listening.");
    }

    [GeneratedRegex(@"^Listening on (?<url>http://[^\s,]+?)\.?$", RegexOptions.ExplicitCapture)]
    private static partial Regex Listening();
}
