using Llava.EndToEndTests;
using Microsoft.Playwright;

namespace Llava.BrowserTests;

/// <summary><c>llava up</c> with two training runs that are over, and Chromium looking at it.</summary>
public sealed class TrainingUnderTest : IAsyncLifetime
{
    /// <summary>Folder that gets a picture of every page; nothing is written where it is not set.</summary>
    private static readonly string? Pictures = Environment.GetEnvironmentVariable("LLAVA_PICTURES");

    private readonly TrainingServer _server = new();
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>A signed-in context: the link is spent on it.</summary>
    public IBrowserContext Context { get; private set; } = null!;

    public string Origin => new Uri(_server.Link).GetLeftPart(UriPartial.Authority);

    /// <summary>Ids of the runs.</summary>
    public string First { get; private set; } = "";

    public string Second { get; private set; } = "";

    public async Task InitializeAsync()
    {
        await _server.StartAsync();
        var torn = """{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},{"role":"assistant","content":"A circle."}]}""";
        var rows = await _server.SendAsync(string.Join('\n', Enumerable.Range(0, 12).Select(TrainingServer.Row).Append(torn)));
        var validation = await _server.SendScenesAsync(3, from: 100);
        First = await RunAsync("first", 1e-3);
        Second = await RunAsync("second", 1e-4);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"],
        });
        Context = await _browser.NewContextAsync();
        await (await Context.NewPageAsync()).GotoAsync(_server.Link);

        async Task<string> RunAsync(string suffix, double rate)
        {
            var id = await _server.CreateAsync(new { model = "llava-scenes", training_file = rows, validation_file = validation, suffix, learning_rate = rate, max_steps = 8, save_every = 3, eval_every = 2, hyperparameters = new { batch_size = 2 } });
            await _server.UntilAsync(id, "succeeded");
            return id;
        }
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        await _server.DisposeAsync();
    }

    /// <summary>The same reader, in a browser that runs no scripts.</summary>
    public async Task<IBrowserContext> WithoutScriptsAsync() =>
        await _browser!.NewContextAsync(new() { JavaScriptEnabled = false, StorageState = await Context.StorageStateAsync() });

    /// <summary>Takes pictures of a page, light and dark, where they are wanted.</summary>
    public async Task ShootAsync(IPage page, string path, string name)
    {
        if (Pictures is null)
        {
            return;
        }

        var file = path.Replace(First, "run", StringComparison.Ordinal).Replace(Second, "other", StringComparison.Ordinal).Replace('/', '-').Split('?')[0].Trim('-');
        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            await page.EmulateMediaAsync(new() { ColorScheme = scheme });
            await page.ScreenshotAsync(new() { Path = Path.Combine(Pictures, $"{file}-{name}-{scheme}.png".ToLowerInvariant()), FullPage = true });
        }
    }
}
