using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Llava.BrowserTests;

/// <summary>What holds for every page.</summary>
[Collection(SharedPages.Name)]
public sealed class EveryPageTests(PagesUnderTest pages)
{
    [Fact]
    public async Task Hostile_texts_and_names_are_text_and_nothing_leaves_the_site()
    {
        await using var context = await pages.SignedInAsync();
        var page = await context.NewPageAsync();
        var (dialogs, offSite, errors) = (0, new List<string>(), new List<string>());
        page.Dialog += (_, dialog) => { dialogs++; _ = dialog.DismissAsync(); };
        page.Request += (_, request) => { if (new Uri(request.Url).Authority != pages.Link.Authority) { offSite.Add(request.Url); } };
        page.Console += (_, message) => { if (message.Type is "error" or "warning") { errors.Add(message.Text); } };
        page.PageError += (_, error) => errors.Add(error);

        foreach (var path in pages.Paths)
        {
            await page.GotoAsync(new Uri(pages.Link, path).ToString());
            await page.WaitForFunctionAsync("() => document.readyState === 'complete'");
        }

        await page.GotoAsync(new Uri(pages.Link, $"/jobs/{pages.Job}/gallery").ToString());
        await Expect(page.Locator(".item .name").First).ToHaveTextAsync(PagesUnderTest.Hostile + ".png");
        Assert.Equal(0, dialogs);
        Assert.Empty(offSite);
        // The damaged image has no thumbnail; its place stays empty.
        Assert.All(errors, error => Assert.Contains("404", error, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_narrow_screen_needs_no_sideways_scrolling()
    {
        await using var context = await pages.SignedInAsync(new() { ViewportSize = new() { Width = 375, Height = 700 } });
        foreach (var path in pages.Paths)
        {
            var page = await pages.OpenAsync(path, context);

            Assert.True(await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth") <= 375, path);
            await page.CloseAsync();
        }
    }

    [Fact]
    public async Task Without_scripts_every_page_can_be_read_and_left()
    {
        await using var context = await pages.SignedInAsync(new() { JavaScriptEnabled = false });
        foreach (var path in pages.Paths)
        {
            var page = await pages.OpenAsync(path, context);

            await Expect(page.Locator("h1")).ToBeVisibleAsync();
            await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Jobs", Exact = true }).First).ToBeVisibleAsync();
            await page.CloseAsync();
        }
    }

    [Fact]
    public async Task The_keyboard_reaches_the_page_first_and_then_the_navigation()
    {
        var page = await pages.OpenAsync("/jobs");

        await page.Keyboard.PressAsync("Tab");
        await Expect(page.Locator(".skip")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("Tab");

        Assert.True(await page.EvaluateAsync<bool>("() => document.querySelector('main').contains(document.activeElement)"));
        await page.CloseAsync();
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/jobs")]
    [InlineData("/jobs/job_38g6s4b3k6gmq/gallery")]
    [InlineData("/compare")]
    [InlineData("/events?on=alarms")]
    [InlineData("/hangfire")]
    public async Task Who_has_not_signed_in_sees_nothing(string path)
    {
        await using var stranger = await pages.StrangerAsync();

        var response = await stranger.APIRequest.GetAsync(new Uri(pages.Link, path).ToString());

        Assert.Equal(401, response.Status);
    }

    [Fact]
    public async Task The_link_works_once()
    {
        await using var stranger = await pages.StrangerAsync();

        var response = await stranger.APIRequest.GetAsync(pages.Link.ToString());

        Assert.Equal(401, response.Status);
    }

    [Fact]
    public async Task Hangfire_shows_the_recurring_tasks_to_whoever_signed_in()
    {
        var page = await pages.OpenAsync("/hangfire/recurring");

        await Expect(page.Locator("table tbody tr")).ToHaveCountAsync(2);
        await page.CloseAsync();
    }
}
