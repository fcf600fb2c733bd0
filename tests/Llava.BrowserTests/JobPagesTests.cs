using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Llava.BrowserTests;

/// <summary>Watching and steering jobs.</summary>
[Collection(SharedPages.Name)]
public sealed class JobPagesTests(PagesUnderTest pages)
{
    [Fact]
    public async Task The_first_page_tells_how_the_parts_are()
    {
        var page = await pages.OpenAsync("/");

        await Expect(page.Locator("section:has(h2:text-is('Health')) tr:has-text('Ledger') .state")).ToHaveTextAsync("healthy");
        await Expect(page.Locator("section:has(h2:text-is('Consumers')) .state")).ToHaveTextAsync("live");
        await Expect(page.Locator("#throughput canvas")).ToBeVisibleAsync();
        await page.CloseAsync();
    }

    [Fact]
    public async Task Jobs_are_listed_with_their_progress_and_found_again()
    {
        var page = await pages.OpenAsync("/jobs");
        await Expect(page.Locator($"#{pages.Job} .state")).ToHaveTextAsync("completed");
        await Expect(page.Locator($"#{pages.Job} .segments")).ToHaveAttributeAsync("aria-label", "7 succeeded, 1 failed of 8");

        await page.Locator("input[name=q]").FillAsync("How many objects");
        await page.Keyboard.PressAsync("Enter");

        await Expect(page.Locator("table.jobs tbody tr")).ToHaveCountAsync(1);
        await Expect(page.Locator($"#{pages.Other}")).ToBeVisibleAsync();

        await page.Locator("select[name=state]").SelectOptionAsync("failed");
        await Expect(page.Locator(".empty")).ToContainTextAsync("No job matches");
        await page.CloseAsync();
    }

    [Fact]
    public async Task Something_is_done_to_the_ticked_jobs_and_said()
    {
        var page = await pages.OpenAsync("/jobs");
        await Expect(page.Locator("button[value=retry][data-needs]")).ToBeDisabledAsync();

        await page.Locator($"#{pages.Steered} input[type=checkbox]").CheckAsync();
        await Expect(page.Locator("[data-counts=job]")).ToHaveTextAsync("1 selected");
        await page.Locator("button[value=retry][data-needs]").ClickAsync();

        await Expect(page.Locator("main .banner.calm")).ToContainTextAsync("Trying again 1 failed item of 1 job.");
        await page.CloseAsync();
    }

    [Fact]
    public async Task What_cannot_be_done_to_a_job_is_passed_over_and_said()
    {
        var page = await pages.OpenAsync("/jobs");
        await page.Locator($"#{pages.Other} input[type=checkbox]").CheckAsync();

        await page.Locator("button[value=pause][data-needs]").ClickAsync();

        await Expect(page.Locator("main .banner.calm")).ToContainTextAsync("Paused 0 jobs; 1 other left");
        await page.CloseAsync();
    }

    [Fact]
    public async Task A_job_shows_its_numbers_its_causes_and_its_settings()
    {
        var page = await pages.OpenAsync($"/jobs/{pages.Job}");

        await Expect(page.Locator("dl.figures").First).ToContainTextAsync("Prefix hits");
        await Expect(page.Locator("#causes")).ToContainTextAsync("image_empty");
        await Expect(page.Locator("#causes .sub").First).ToContainTextAsync("empty.png");
        await Expect(page.Locator("dl.facts").Last).ToContainTextAsync("Describe this image.");
        await Expect(page.Locator("section:has(h2:text-is('Timeline')) dl")).ToContainTextAsync("completed");
        await page.CloseAsync();
    }

    [Fact]
    public async Task Every_format_can_be_downloaded()
    {
        var page = await pages.OpenAsync($"/jobs/{pages.Job}");
        var links = await page.Locator("#downloads a").EvaluateAllAsync<string[]>("links => links.map(link => link.getAttribute('href'))");

        Assert.Equal(9, links.Length);
        foreach (var link in links)
        {
            var answer = await pages.Context.APIRequest.GetAsync(new Uri(pages.Link, link).ToString());

            Assert.True(answer.Status == 200, link);
            Assert.NotEmpty(await answer.BodyAsync());
            Assert.StartsWith("attachment", answer.Headers["content-disposition"], StringComparison.Ordinal);
        }

        await page.CloseAsync();
    }

    [Fact]
    public async Task Failed_items_are_asked_again_with_an_edited_prompt()
    {
        var page = await pages.OpenAsync($"/jobs/{pages.Job}");
        await page.Locator("#causes a:has-text('Edit first')").ClickAsync();
        await page.Locator("textarea[name=Prompt]").FillAsync("Say what you see.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Ask again" }).ClickAsync();

        await Expect(page.Locator("main .banner.calm")).ToContainTextAsync("new job");
        await Expect(page.Locator("dl.facts").Last).ToContainTextAsync("Say what you see.");
        // The image is still empty: the new job ends with its one item failed, which the page shows by itself.
        await Expect(page.Locator("[data-live^='job:'] .state").First).ToHaveTextAsync("completed", new() { Timeout = 20_000 });
        await page.CloseAsync();
    }

    [Fact]
    public async Task A_lost_connection_is_said_and_taken_up_again()
    {
        await using var context = await pages.SignedInAsync();
        var page = await pages.OpenAsync("/", context);
        await page.WaitForFunctionAsync("() => document.getElementById('connection').hidden");

        await context.SetOfflineAsync(true);
        await page.EvaluateAsync("() => dispatchEvent(new Event('pagehide'))");
        await page.EvaluateAsync("() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
        await Expect(page.Locator("#connection")).ToBeVisibleAsync();

        await context.SetOfflineAsync(false);
        await Expect(page.Locator("#connection")).ToBeHiddenAsync(new() { Timeout = 15_000 });
    }
}
