using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Llava.BrowserTests;

/// <summary>What a person sees after <c>llava up</c>.</summary>
public sealed class JobPagesTests(PagesUnderTest pages) : IClassFixture<PagesUnderTest>
{
    [Fact]
    public async Task The_first_page_lists_the_job_with_its_progress()
    {
        var page = await OpenAsync("/");

        await Expect(page.Locator("#jobs tbody tr")).ToHaveCountAsync(1);
        await Expect(page.Locator("#jobs .state")).ToHaveTextAsync("completed");
        await Expect(page.Locator("#jobs progress")).ToHaveAttributeAsync("value", "8");
    }

    [Fact]
    public async Task A_job_is_a_gallery_of_pictures_with_texts_and_causes()
    {
        var page = await OpenAsync("/");
        await page.Locator("#jobs a").First.ClickAsync();

        await Expect(page.Locator(".gallery li")).ToHaveCountAsync(8);
        await Expect(page.Locator(".gallery .error")).ToHaveCountAsync(1);
        await Expect(page.Locator(".gallery .error")).ToContainTextAsync("image_empty");
        await page.Locator(".gallery li").Nth(1).ScrollIntoViewIfNeededAsync();
        await Expect(page.Locator(".gallery li:has-text('scene-0001.png') img")).ToHaveJSPropertyAsync("naturalWidth", 160);
    }

    [Fact]
    public async Task Only_failed_items_can_be_shown()
    {
        var page = await OpenAsync("/");
        await page.Locator("#jobs a").First.ClickAsync();
        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "only failed" }).ClickAsync();

        await Expect(page.Locator(".gallery li")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task A_hostile_file_name_is_text_and_nothing_leaves_the_site()
    {
        var page = await pages.Context.NewPageAsync();
        var (dialogs, offSite, errors) = (0, new List<string>(), new List<string>());
        page.Dialog += (_, dialog) => { dialogs++; _ = dialog.DismissAsync(); };
        page.Request += (_, request) => { if (new Uri(request.Url).Authority != pages.Link.Authority) { offSite.Add(request.Url); } };
        page.Console += (_, message) => { if (message.Type == "error") { errors.Add(message.Text); } };

        await page.GotoAsync(new Uri(pages.Link, "/").ToString());
        await page.Locator("#jobs a").First.ClickAsync();

        await Expect(page.Locator(".gallery .id").First).ToHaveTextAsync("<img src=x onerror=alert(1)>.png");
        Assert.Equal(0, dialogs);
        Assert.Empty(offSite);
        // The damaged image has no thumbnail; its place stays empty.
        Assert.All(errors, error => Assert.Contains("404", error, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_narrow_screen_needs_no_sideways_scrolling()
    {
        var page = await OpenAsync("/");
        await page.SetViewportSizeAsync(375, 700);

        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= 375"));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/jobs/job_38g6s4b3k6gmq")]
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
        var page = await OpenAsync("/hangfire/recurring");

        await Expect(page.Locator("table tbody tr")).ToHaveCountAsync(2);
    }

    private async Task<IPage> OpenAsync(string path)
    {
        var page = await pages.Context.NewPageAsync();
        await page.GotoAsync(new Uri(pages.Link, path).ToString());
        return page;
    }
}
