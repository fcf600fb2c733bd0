using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Llava.BrowserTests;

/// <summary>Looking at answers, comparing them and putting them right.</summary>
[Collection(SharedPages.Name)]
public sealed class ReviewTests(PagesUnderTest pages)
{
    [Fact]
    public async Task A_gallery_shows_pictures_with_texts_and_causes()
    {
        var page = await pages.OpenAsync($"/jobs/{pages.Job}/gallery");

        await Expect(page.Locator(".item")).ToHaveCountAsync(8);
        await Expect(page.Locator(".item .answer.bad")).ToContainTextAsync("image_empty");
        await page.Locator(".item").Nth(1).ScrollIntoViewIfNeededAsync();
        await Expect(page.Locator(".item:has-text('scene-0001.png') img")).ToHaveJSPropertyAsync("naturalWidth", 160);
        await page.CloseAsync();
    }

    [Fact]
    public async Task Items_are_filtered_searched_and_put_in_another_order()
    {
        var page = await pages.OpenAsync($"/jobs/{pages.Job}/gallery");

        await page.Locator("select[name=outcome]").SelectOptionAsync("failed");
        await Expect(page.Locator(".item")).ToHaveCountAsync(1);

        await page.GotoAsync(new Uri(pages.Link, $"/jobs/{pages.Job}/gallery?q=SCENE-0003").ToString());
        await Expect(page.Locator(".item")).ToHaveCountAsync(1);

        await page.GotoAsync(new Uri(pages.Link, $"/jobs/{pages.Job}/gallery?order=confidence").ToString());
        var sure = await page.Locator(".item .sure").EvaluateAllAsync<double[]>("all => all.map(one => parseFloat(one.textContent))");
        Assert.Equal(7, sure.Length);
        Assert.Equal(sure.Order(), sure);
        await page.CloseAsync();
    }

    [Fact]
    public async Task Answers_are_reviewed_from_the_keyboard_and_become_a_training_file()
    {
        var page = await pages.OpenAsync($"/jobs/{pages.Reviewed}/gallery?outcome=succeeded");
        var first = await page.Locator(".item").Nth(0).Locator("[data-answer]").TextContentAsync();

        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("a");
        await Expect(page.Locator(".item").Nth(0).Locator(".state")).ToHaveTextAsync("accepted");
        await Expect(page.Locator(".item").Nth(1)).ToBeFocusedAsync();

        await page.Keyboard.PressAsync("e");
        await page.Locator(".item textarea").FillAsync($"It is teal. {PagesUnderTest.Hostile}");
        await page.Keyboard.PressAsync("Control+Enter");
        await Expect(page.Locator(".item").Nth(1).Locator(".state")).ToHaveTextAsync("edited");
        await Expect(page.Locator(".item").Nth(1).Locator("[data-answer]")).ToHaveTextAsync($"It is teal. {PagesUnderTest.Hostile}");

        await Expect(page.Locator(".item").Nth(2)).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("r");
        await Expect(page.Locator(".item").Nth(2).Locator(".state")).ToHaveTextAsync("rejected");
        await page.Keyboard.PressAsync("k");
        await page.Keyboard.PressAsync("k");
        await Expect(page.Locator(".item").Nth(1)).ToBeFocusedAsync();
        await Expect(page.Locator(".progress-line")).ToContainTextAsync("1 accepted, 1 edited, 1 rejected");

        await page.GotoAsync(new Uri(pages.Link, $"/jobs/{pages.Reviewed}/gallery?outcome=succeeded&review=unreviewed").ToString());
        await Expect(page.Locator(".item")).ToHaveCountAsync(4);

        await page.GotoAsync(new Uri(pages.Link, $"/jobs/{pages.Reviewed}").ToString());
        await Expect(page.Locator("dl.figures").First).ToContainTextAsync("1 accepted, 1 edited, 1 rejected");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make training file" }).ClickAsync();
        var said = await page.Locator("main .banner.calm").TextContentAsync() ?? "";
        var file = said.Split(' ').Single(word => word.StartsWith("file-", StringComparison.Ordinal));
        var samples = await ReadAsync(file);
        Assert.Equal(2, samples.GetArrayLength());
        Assert.Equal(first!.Trim(), samples[0].GetProperty("conversations")[1].GetProperty("value").GetString());
        Assert.Equal($"It is teal. {PagesUnderTest.Hostile}", samples[1].GetProperty("conversations")[1].GetProperty("value").GetString());
        Assert.StartsWith("<image>\n", samples[0].GetProperty("conversations")[0].GetProperty("value").GetString(), StringComparison.Ordinal);
        await page.CloseAsync();
    }

    [Fact]
    public async Task Without_scripts_an_item_is_reviewed_on_its_own_page_and_keeps_its_history()
    {
        await using var context = await pages.SignedInAsync(new() { JavaScriptEnabled = false });
        var page = await pages.OpenAsync($"/jobs/{pages.Other}/items/2", context);

        await page.GetByRole(AriaRole.Button, new() { Name = "Accept" }).ClickAsync();
        await page.Locator("textarea").FillAsync("Three.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save as edited" }).ClickAsync();

        await Expect(page.Locator("#history tr")).ToHaveCountAsync(2);
        await Expect(page.Locator("#history tr").First).ToContainTextAsync("Three.");
        await Expect(page.Locator("#history tr").First).ToContainTextAsync("owner");
    }

    [Fact]
    public async Task Two_jobs_stand_side_by_side_and_are_filtered_by_agreement()
    {
        var page = await pages.OpenAsync($"/compare?left={pages.Job}&right={pages.Other}");

        await Expect(page.Locator(".pair.card")).ToHaveCountAsync(8);
        await page.GetByRole(AriaRole.Link, new() { Name = "Same", Exact = true }).ClickAsync();
        await Expect(page.Locator(".pair.card")).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Link, new() { Name = "Different", Exact = true }).ClickAsync();
        await Expect(page.Locator(".pair.card")).ToHaveCountAsync(8);

        await page.GotoAsync(new Uri(pages.Link, $"/compare?left={pages.Job}&right={pages.Job}&agreement=same").ToString());
        await Expect(page.Locator(".pair.card")).ToHaveCountAsync(7);
        await page.CloseAsync();
    }

    private async Task<JsonElement> ReadAsync(string file)
    {
        var answer = await pages.Context.APIRequest.GetAsync(new Uri(pages.Link, $"/v1/files/{file}/content").ToString());
        Assert.Equal(200, answer.Status);
        return JsonSerializer.Deserialize<JsonElement>(await answer.TextAsync());
    }
}
