using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Llava.BrowserTests;

/// <summary>Training runs as a person starts, watches and stops them.</summary>
public sealed class TrainingPagesTests(TrainingUnderTest pages) : IClassFixture<TrainingUnderTest>
{
    [Fact]
    public async Task A_run_is_started_from_the_form_watched_and_cancelled()
    {
        var page = await OpenAsync("/training/new");
        await page.GetByLabel("Name").FillAsync("two words");
        await page.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("suffix");
        await page.GetByLabel("Name").FillAsync("by-hand");
        // The newest file comes first, and has too few rows.
        await page.GetByLabel("Training file").SelectOptionAsync(new SelectOptionValue { Index = 1 });
        await page.GetByLabel("Epochs").FillAsync("50");
        await page.GetByLabel("Batch size").FillAsync("1");
        await page.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();

        await Expect(page.Locator("h1")).ToHaveTextAsync("by-hand");
        await Expect(page.Locator("#run-state .state")).ToHaveTextAsync("running", new() { Timeout = 60_000 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await Expect(page.Locator("#run-state .state")).ToHaveTextAsync("paused");
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await Expect(page.Locator("#run-state .state")).ToHaveTextAsync("running", new() { Timeout = 60_000 });
        var next = await OpenAsync("/training/new");
        await next.GetByLabel("Start from").SelectOptionAsync(new SelectOptionValue { Label = "by-hand, from llava-scenes" });
        await next.GetByLabel("Name").FillAsync("next");
        await next.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await Expect(next.Locator("#run-state .state")).ToHaveTextAsync("waiting");
        await Expect(next.Locator("#card-chain tbody tr")).ToHaveCountAsync(2);
        await pages.ShootAsync(next, "/training/chain", "wide");

        page.Dialog += (_, dialog) => _ = dialog.AcceptAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await Expect(page.Locator("#run-state .state")).ToHaveTextAsync("cancelled");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Pause" })).ToHaveCountAsync(0);
        await Expect(page.Locator("#card-chain")).ToContainTextAsync("next");
        await Expect(next.Locator("#run-failure")).ToContainTextAsync("previous_failed");
        await next.CloseAsync();
        await page.CloseAsync();
    }

    [Fact]
    public async Task A_run_that_is_over_shows_its_curves_its_checkpoints_its_settings_and_its_model()
    {
        var page = await OpenAsync($"/training/{pages.First}");

        await Expect(page.Locator("#run-state .state")).ToHaveTextAsync("succeeded");
        await Expect(page.Locator(".chart .u-wrap")).ToHaveCountAsync(4);
        await Expect(page.Locator("#run-model code")).ToContainTextAsync("ft:llava-scenes:default:first:");
        await Expect(page.Locator("#card-checkpoints tbody tr")).ToHaveCountAsync(2);
        await Expect(page.Locator("#card-events tbody")).ToContainTextAsync("The job has successfully completed");
        await Expect(page.Locator("#card-settings")).ToContainTextAsync("0.001");
        await Expect(page.Locator("#card-findings tbody tr")).ToHaveCountAsync(1);
        await page.CloseAsync();
    }

    [Fact]
    public async Task Runs_are_ticked_in_the_list_and_compared()
    {
        var page = await OpenAsync("/training");
        await page.GetByLabel("Compare first").CheckAsync();
        await page.GetByLabel("Compare second").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Compare" }).ClickAsync();

        await Expect(page.Locator(".scroll tbody tr")).ToHaveCountAsync(2);
        await Expect(page.Locator(".chart .u-wrap")).ToHaveCountAsync(2);
        await Expect(page.Locator(".chart").First).ToContainTextAsync("second");
        await page.CloseAsync();
    }

    [Theory]
    [InlineData("/training")]
    [InlineData("/training/new")]
    [InlineData("/training/FIRST")]
    [InlineData("/training/compare?run=FIRST&run=SECOND")]
    public async Task A_page_fits_a_narrow_screen_breaks_no_policy_and_can_be_read_without_scripts(string path)
    {
        path = path.Replace("FIRST", pages.First, StringComparison.Ordinal).Replace("SECOND", pages.Second, StringComparison.Ordinal);
        List<string> problems = [];
        var page = await pages.Context.NewPageAsync();
        page.Console += (_, said) => problems.AddRange(said.Type == "error" ? [said.Text] : []);
        page.Request += (_, request) => problems.AddRange(request.Url.StartsWith(pages.Origin, StringComparison.Ordinal) || request.Url.StartsWith("data:", StringComparison.Ordinal) ? [] : [request.Url]);
        foreach (var (width, name) in new[] { (375, "narrow"), (1280, "wide") })
        {
            await page.SetViewportSizeAsync(width, 900);
            await page.GotoAsync(pages.Origin + path, new() { WaitUntil = WaitUntilState.Load });
            Assert.True(await page.EvaluateAsync<bool>($"() => document.documentElement.scrollWidth <= {width}"), $"{path} at {width}");
            await pages.ShootAsync(page, path, name);
        }

        // Each page holds a stream, and a browser has few connections to a host.
        await page.CloseAsync();
        Assert.Empty(problems);
        await using var plain = await pages.WithoutScriptsAsync();
        var read = await plain.NewPageAsync();
        await read.GotoAsync(pages.Origin + path);
        await Expect(read.Locator("h1")).ToBeVisibleAsync();
        await Expect(read.Locator("main")).ToContainTextAsync(path.EndsWith("new", StringComparison.Ordinal) ? "rows.jsonl" : "first");
    }

    private async Task<IPage> OpenAsync(string path)
    {
        var page = await pages.Context.NewPageAsync();
        await page.GotoAsync(pages.Origin + path);
        return page;
    }
}
