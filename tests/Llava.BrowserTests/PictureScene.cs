using Microsoft.Playwright;

namespace Llava.BrowserTests;

/// <summary>What people have done on a site before its pictures are taken, done as they do it.</summary>
internal sealed class PictureScene(IBrowserContext signedIn, Uri origin)
{
    /// <summary>Answers that are accepted: a training file takes ten rows.</summary>
    private const int Accepted = 12;

    /// <summary>Reviews answers from the keyboard, one of them rejected.</summary>
    public async Task ReviewAsync(string job)
    {
        var page = await OpenAsync($"/jobs/{job}/gallery?order=confidence");
        foreach (var key in new[] { "j", "a", "a", "r" }.Concat(Enumerable.Repeat("a", Accepted - 2)))
        {
            var reviewed = await page.Locator(".item .under .state").CountAsync();
            await page.Keyboard.PressAsync(key);
            await page.WaitForFunctionAsync("([key, before]) => key === 'j' || document.querySelectorAll('.item .under .state').length > before", new object[] { key, reviewed });
        }

        await page.CloseAsync();
    }

    /// <summary>Makes a training file of the reviews and starts a run on it.</summary>
    /// <returns>The run's address.</returns>
    public async Task<string> TrainAsync(string job, int epochs)
    {
        var page = await OpenAsync($"/jobs/{job}");
        await page.Locator("#review select").SelectOptionAsync("openai");
        await page.Locator("#review button").ClickAsync();
        await page.GetByText("for fine-tuning").WaitForAsync();
        await page.GotoAsync(new Uri(origin, "/training/new").ToString());
        await page.Locator("[name=suffix]").FillAsync("reviewed-scenes");
        await page.Locator("[name=epochs]").FillAsync($"{epochs}");
        await page.Locator("[name=batchSize]").FillAsync("4");
        await page.Locator("[name=validationFile]").SelectOptionAsync(new SelectOptionValue { Index = 1 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Start", Exact = true }).ClickAsync();
        await page.Locator("#run-state .state.good").WaitForAsync(new() { Timeout = 300_000 });
        var address = new Uri(page.Url).AbsolutePath;
        await page.CloseAsync();
        return address;
    }

    /// <summary>Adds an address that is told of events and sends it two tests.</summary>
    /// <returns>The address's page.</returns>
    public async Task<string> TellAsync(Uri listener)
    {
        var page = await OpenAsync("/webhooks");
        await page.Locator("[name=url]").FillAsync(listener.ToString());
        await page.GetByRole(AriaRole.Button, new() { Name = "Add address" }).ClickAsync();
        await page.Locator("tbody a").First.ClickAsync();
        for (var test = 0; test < 2; test++)
        {
            await page.GetByRole(AriaRole.Button, new() { Name = "Send a test" }).ClickAsync();
            await page.GetByText("is on its way").WaitForAsync();
        }

        var address = new Uri(page.Url).AbsolutePath;
        await page.CloseAsync();
        return address;
    }

    private async Task<IPage> OpenAsync(string path)
    {
        var page = await signedIn.NewPageAsync();
        await page.GotoAsync(new Uri(origin, path).ToString());
        return page;
    }
}
