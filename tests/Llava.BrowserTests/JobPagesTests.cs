using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Llava.BrowserTests;

/// <summary>What a person sees after <c>llava up</c>.</summary>
public sealed class JobPagesTests(PagesUnderTest pages) : IClassFixture<PagesUnderTest>
{
    [Fact]
    public async Task Jobs_are_listed_with_its_progress()
    {
        var page = await OpenAsync("/jobs");

        await Expect(page.Locator("table.jobs tbody tr")).ToHaveCountAsync(1);
        await Expect(page.Locator("table.jobs .state")).ToHaveTextAsync("completed");
        await Expect(page.Locator("table.jobs .segments")).ToHaveAttributeAsync("aria-label", "7 succeeded, 1 failed of 8");
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
