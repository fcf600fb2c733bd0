using System.Text.Json;
using Llava.ModelCore.Scenes;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Llava.BrowserTests;

/// <summary>Chats in the browser, with the model that ships.</summary>
public sealed class PlaygroundTests(PagesUnderTest pages) : IClassFixture<PagesUnderTest>
{
    private static readonly Scene Drawn = Scene.FromSeed(Scene.FirstHeldOutSeed + 11, maxObjects: 1);
    private readonly List<string> _complaints = [];

    [Fact]
    public async Task A_drawn_scene_is_described_again_judged_and_written_down()
    {
        var page = await OpenAsync();
        await AskAsync(page, "Describe this image.");
        var answer = page.Locator(".transcript").First.Locator(".message.assistant:not(.waits)");
        var name = $"{Drawn.Objects[0].Color} {Drawn.Objects[0].Shape}".ToLowerInvariant();
        await Expect(answer).ToContainTextAsync(name, new() { IgnoreCase = true, Timeout = 60_000 });

        await page.Locator("#again").ClickAsync();
        await Expect(answer).ToContainTextAsync(name, new() { IgnoreCase = true, Timeout = 60_000 });
        await Expect(answer).ToHaveCountAsync(1);

        var verdict = page.Locator(".transcript").First.Locator(".verdict");
        await verdict.GetByText("Good").ClickAsync();
        await Expect(verdict.GetByText("Good")).ToHaveAttributeAsync("aria-pressed", "true");
        await page.RunAndWaitForResponseAsync(() => verdict.GetByText("Flag").ClickAsync(), response => response.Url.Contains("handler=Log", StringComparison.Ordinal));

        var lines = File.ReadAllLines(Assert.Single(Directory.GetFiles(Path.Combine(pages.Data, "conversations")))).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(["chat", "chat", "upvote", "flag"], lines.Select(line => line.GetProperty("type").GetString()));
        Assert.All(lines, line => Assert.Equal("llava-scenes", line.GetProperty("model").GetString()));
        Assert.All(lines, line => Assert.DoesNotContain("base64", line.GetRawText(), StringComparison.Ordinal));
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task Two_models_answer_side_by_side_and_choices_come_with_their_scores()
    {
        var page = await OpenAsync();
        await page.Locator(".transcript").Nth(1).Locator("select").SelectOptionAsync("llava-scenes");
        await page.Locator("#choices").FillAsync("yes, no");
        await AskAsync(page, $"Is there a {Drawn.Objects[0].Color} {Drawn.Objects[0].Shape}?".ToLowerInvariant());

        await Expect(page.Locator(".message.assistant .scores")).ToHaveCountAsync(2, new() { Timeout = 60_000 });
        await Expect(page.Locator(".message.assistant").First).ToContainTextAsync("yes");
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task What_a_model_says_is_text_whatever_it_says()
    {
        var page = await OpenAsync();
        await page.RouteAsync("**/v1/chat/completions", route => route.FulfillAsync(new()
        {
            ContentType = "text/event-stream",
            Body = """data: {"choices":[{"index":0,"delta":{"content":"<img src=x onerror=alert(1)><script>alert(2)</script>"},"finish_reason":"stop"}]}""" + "\n\ndata: [DONE]\n\n",
        }));
        await AskAsync(page, "<b>Hi</b>");

        await Expect(page.Locator(".message.assistant").First).ToHaveTextAsync("<img src=x onerror=alert(1)><script>alert(2)</script>");
        await Expect(page.Locator(".message.user").First).ToContainTextAsync("<b>Hi</b>");
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task It_fits_a_narrow_screen_and_is_used_from_the_keyboard()
    {
        var page = await OpenAsync();
        await page.SetViewportSizeAsync(375, 800);
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= 375"));

        await page.Locator("#question").FocusAsync();
        await page.Keyboard.TypeAsync("Hello");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".transcript").First.Locator(".message.assistant:not(.waits)")).ToHaveCountAsync(1, new() { Timeout = 60_000 });
        Assert.Empty(_complaints);
    }

    private async Task<IPage> OpenAsync()
    {
        var page = await pages.Context.NewPageAsync();
        page.Dialog += (_, dialog) => { _complaints.Add(dialog.Message); _ = dialog.DismissAsync(); };
        page.Console += (_, message) => { if (message.Type == "error") { _complaints.Add(message.Text); } };
        page.Request += (_, request) => { if (!request.Url.StartsWith("blob:", StringComparison.Ordinal) && new Uri(request.Url).Authority != pages.Link.Authority) { _complaints.Add(request.Url); } };
        await page.GotoAsync(new Uri(pages.Link, "/playground").ToString());
        return page;
    }

    private static async Task AskAsync(IPage page, string question)
    {
        await page.Locator("#file").SetInputFilesAsync(new FilePayload { Name = "scene.png", MimeType = "image/png", Buffer = ScenePixels.Png(Drawn, 160) });
        await Expect(page.Locator("#preview")).ToBeVisibleAsync();
        await page.Locator("#temperature").FillAsync("0");
        await page.Locator("#question").FillAsync(question);
        await page.Locator("#send").ClickAsync();
    }
}
