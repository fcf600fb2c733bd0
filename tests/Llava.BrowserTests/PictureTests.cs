using System.Diagnostics;
using System.Text.RegularExpressions;
using Llava.EndToEndTests;
using Llava.Testing;
using Microsoft.Playwright;

namespace Llava.BrowserTests;

/// <summary>
/// The pictures of docs/pages: a server with jobs of the shipped model, one of them at work. <c>LLAVA_WRITE_PICTURES=1</c> takes them anew; otherwise
/// each page is only looked at, and its picture must be there.
/// </summary>
public sealed partial class PictureTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-pictures-");
    private readonly bool _writes = Environment.GetEnvironmentVariable("LLAVA_WRITE_PICTURES") == "1";
    private readonly EventListener _listener = new();
    private Process? _server;

    private static string Pictures => Repository.Path("docs", "pages");

    private string Data => Path.Combine(_folder.FullName, "data");

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync()
    {
        _server?.Kill(entireProcessTree: true);
        _server?.Dispose();
        _listener.Dispose();
        _folder.Delete(recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Every_page_has_its_picture()
    {
        var (captions, colors) = await WorkAsync();
        var origin = await StartAsync();
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox", "--disable-dev-shm-usage"] });
        await using var signedIn = await browser.NewContextAsync();
        await (await signedIn.NewPageAsync()).GotoAsync(origin.ToString());
        var state = await signedIn.StorageStateAsync();

        PictureScene scene = new(signedIn, origin);
        await scene.ReviewAsync(captions);
        var webhook = await scene.TellAsync(_listener.Address);
        var run = await scene.TrainAsync(captions, epochs: _writes ? 12 : 1);
        await SubmitLongAsync();
        Dictionary<string, string> paths = new()
        {
            ["overview"] = "/", ["jobs"] = "/jobs", ["job"] = $"/jobs/{captions}", ["gallery"] = $"/jobs/{captions}/gallery?order=confidence", ["item"] = $"/jobs/{captions}/items/20",
            ["compare"] = $"/compare?left={captions}&right={colors}", ["playground"] = "/playground", ["training"] = "/training", ["run"] = run, ["models"] = "/models", ["files"] = "/files",
            ["consumers"] = "/consumers", ["schedules"] = "/schedules", ["webhooks"] = "/webhooks", ["webhook"] = webhook, ["keys"] = "/keys", ["audit"] = "/audit",
        };
        foreach (var (suffix, width, height, scheme) in new[] { ("", 1280, 800, ColorScheme.Light), ("-dark", 1280, 800, ColorScheme.Dark), ("-narrow", 375, 760, ColorScheme.Light) })
        {
            await using var context = await browser.NewContextAsync(new() { StorageState = state, ViewportSize = new() { Width = width, Height = height }, ColorScheme = scheme });
            foreach (var (name, path) in paths)
            {
                await TakeAsync(await context.NewPageAsync(), new Uri(origin, path), Path.Combine(Pictures, $"{name}{suffix}.png"));
            }
        }
    }

    private async Task TakeAsync(IPage page, Uri address, string file)
    {
        await page.GotoAsync(address.ToString(), new() { WaitUntil = WaitUntilState.Load });
        await page.WaitForFunctionAsync("() => [...document.images].every(image => image.complete || image.loading === 'lazy') && document.fonts.status === 'loaded'");
        if (_writes)
        {
            await AskOneExampleAsync(page);
            // Long enough for the first live state and the thumbnails in sight.
            await page.WaitForTimeoutAsync(1500);
            Directory.CreateDirectory(Pictures);
            await page.ScreenshotAsync(new() { Path = file });
        }

        Assert.True(new FileInfo(file) is { Exists: true, Length: > 5_000 }, $"'{file}' is missing; take it with LLAVA_WRITE_PICTURES=1.");
        await page.CloseAsync();
    }

    /// <summary>A playground without a conversation shows little.</summary>
    private static async Task AskOneExampleAsync(IPage page)
    {
        var example = page.Locator(".examples button").Last;
        if (await example.CountAsync() > 0)
        {
            await example.ClickAsync();
            await page.Locator("#preview").WaitForAsync();
            await page.Locator("#send").ClickAsync();
            await page.Locator(".message.assistant:not(.waits)").WaitForAsync(new() { Timeout = 60_000 });
        }
    }

    /// <summary>Two jobs that are over, on the same scenes; a schedule and a key.</summary>
    private async Task<(string Captions, string Colors)> WorkAsync()
    {
        var images = Path.Combine(_folder.FullName, "scenes-holdout");
        SceneFiles.WriteImages(images, 60);
        await File.WriteAllBytesAsync(Path.Combine(images, "scan-0007.png"), []);
        await File.WriteAllTextAsync(Path.Combine(images, "scan-0008.png"), "not an image");
        var captions = await RunAsync(images, "Describe this image.");
        var colors = await RunAsync(images, "Describe the image in one sentence.");
        var scheduled = await LlavaProcess.RunAsync(Data, "schedule", "add", "nightly-captions", "--cron", "0 2 * * *", "annotate", images, "--only-new");
        Assert.True(scheduled.ExitCode == 0, scheduled.Errors);
        var key = await LlavaProcess.RunAsync(Data, "keys", "create", "--name", "archive importer", "--role", "operator");
        Assert.True(key.ExitCode == 0, key.Errors);
        return (captions, colors);
    }

    /// <summary>A job that is at work while the pictures are taken.</summary>
    private async Task SubmitLongAsync()
    {
        var stream = Path.Combine(_folder.FullName, "scenes-archive");
        SceneFiles.WriteImages(stream, _writes ? 1500 : 20);
        List<string> arguments = ["submit", stream];
        foreach (var prompt in new[] { "Describe this image.", "How many objects are there?", "What color is the largest object?", "Is there a circle?", "Where is the square?" })
        {
            arguments.AddRange(["--prompt", prompt]);
        }

        var submitted = await LlavaProcess.RunAsync(Data, [.. arguments]);
        Assert.True(submitted.ExitCode == 0, submitted.Errors);
    }

    private async Task<string> RunAsync(string images, string prompt)
    {
        var run = await LlavaProcess.RunAsync(Data, "annotate", images, "--prompt", prompt);
        Assert.True(run.ExitCode == 1, run.Errors);
        var listed = await LlavaProcess.RunAsync(Data, "status", "--json");
        return JobId().Match(listed.Lines[0]).Value;
    }

    private async Task<Uri> StartAsync()
    {
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "llava"), ["up", "--port", "0", "--data", Data]) { RedirectStandardOutput = true };
        start.Environment["Llava__Scheduler__ImageRoots__0"] = _folder.FullName;
        start.Environment["Llava__Training__ImageRoots__0"] = _folder.FullName;
        start.Environment["Llava__Webhooks__PrivateNetworks__0"] = "127.0.0.0/8";
        start.Environment["Llava__Webhooks__Ports__0"] = $"{_listener.Address.Port}";
        _server = Process.Start(start)!;
        return new(Address().Match(await _server.StandardOutput.ReadLineAsync() ?? "").Value);
    }

    [GeneratedRegex("job_[0-9a-z]{13}")]
    private static partial Regex JobId();

    [GeneratedRegex(@"http://\S+")]
    private static partial Regex Address();
}
