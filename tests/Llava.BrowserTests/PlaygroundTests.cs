using System.Text.Json;
using Llava.ModelCore.Scenes;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Llava.BrowserTests;

/// <summary>Chats in the browser, with the model that ships.</summary>
[Collection(SharedPages.Name)]
public sealed class PlaygroundTests(PagesUnderTest pages)
{
    private const string ChatRoute = "**/v1/chat/completions";

    private static readonly Scene Drawn = Scene.FromSeed(Scene.FirstHeldOutSeed + 11, maxObjects: 1);
    private static readonly string Name = $"{Drawn.Objects[0].Color} {Drawn.Objects[0].Shape}".ToLowerInvariant();
    private static readonly LocatorAssertionsToContainTextOptions Patiently = new() { IgnoreCase = true, Timeout = 60_000 };

    [Fact]
    public async Task A_scene_is_described_again_judged_and_written_down()
    {
        const string Question = "Describe the picture.";
        await using var page = await OpenAsync();
        await AskAsync(page, Question);
        var answer = page[".message.assistant:not(.waits)"];
        await Expect(answer).ToContainTextAsync(Name, Patiently);

        await page.PressAsync("Regenerate");
        await Expect(page["#again"]).ToBeEnabledAsync(new() { Timeout = 60_000 });
        await Expect(answer).ToContainTextAsync(Name, Patiently);
        await Expect(answer).ToHaveCountAsync(1);

        await page.PressAsync("Good");
        await Expect(page[".verdict [data-type=upvote]"].First).ToHaveAttributeAsync("aria-pressed", "true");
        var written = await page.Page.RunAndWaitForResponseAsync(() => page.PressAsync("Flag"), response => response.Url.Contains("handler=Log", StringComparison.Ordinal));
        Assert.Equal(204, written.Status);
        await Expect(page[".verdict [data-type=upvote]"].First).ToHaveAttributeAsync("aria-pressed", "false");

        var lines = Directory.GetFiles(Path.Combine(pages.Data, "conversations")).Order(StringComparer.Ordinal).SelectMany(File.ReadAllLines)
            .Where(line => line.Contains(Question, StringComparison.Ordinal)).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(["chat", "chat", "upvote", "flag"], lines.Select(line => line.GetProperty("type").GetString()));
        Assert.All(lines, line =>
        {
            Assert.Equal("llava-scenes", line.GetProperty("model").GetString());
            Assert.Equal(["user", "assistant"], line.GetProperty("state").GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("role").GetString()));
            Assert.DoesNotContain("base64", line.GetRawText(), StringComparison.Ordinal);
        });
        page.IsInnocent();
    }

    [Fact]
    public async Task Two_models_answer_side_by_side_and_choices_come_with_their_shares()
    {
        await using var page = await OpenAsync();
        await page[".transcript select"].Nth(1).SelectOptionAsync("llava-scenes");
        await page["#choices"].FillAsync("yes, no");
        await AskAsync(page, $"Is there a {Name}?");

        await Expect(page[".message.assistant .scores"]).ToHaveCountAsync(2, new() { Timeout = 60_000 });
        foreach (var answer in await page[".message.assistant .text"].AllAsync())
        {
            await Expect(answer).ToHaveTextAsync("yes");
        }

        page.IsInnocent();
    }

    [Fact]
    public async Task An_example_is_asked_about_and_a_further_question_goes_with_what_was_said()
    {
        await using var page = await OpenAsync();
        await page["#temperature"].FillAsync("0");
        await page[".examples button"].First.ClickAsync();
        await Expect(page["#question"]).ToHaveValueAsync("What is this?");
        await page.PressAsync("Send");
        await Expect(page[".message.assistant:not(.waits)"]).ToContainTextAsync("red circle", Patiently);

        await page["#question"].FillAsync("What color is it?");
        var asked = await page.Page.RunAndWaitForRequestAsync(() => page.PressAsync("Send"), ChatRequest);
        var body = JsonDocument.Parse(asked.PostData!).RootElement;
        Assert.Equal(["user", "assistant", "user"], body.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("role").GetString()));
        Assert.Equal(0, body.GetProperty("temperature").GetInt32());
        await Expect(page[".message.assistant:not(.waits)"].Nth(1)).ToContainTextAsync("red", Patiently);

        await page.PressAsync("Clear");
        await Expect(page[".message"]).ToHaveCountAsync(0);
        await Expect(page[".transcript .empty"].First).ToBeVisibleAsync();
        page.IsInnocent();
    }

    [Fact]
    public async Task A_stopped_question_can_be_asked_again()
    {
        await using var page = await OpenAsync();
        await page.Page.RouteAsync(ChatRoute, _ => Task.CompletedTask);
        await AskAsync(page, "Describe this image.");
        await Expect(page["#send"]).ToBeDisabledAsync();
        await page.PressAsync("Stop");
        await Expect(page[".message.assistant"]).ToHaveTextAsync("Stopped.");

        await page.Page.UnrouteAsync(ChatRoute);
        await page.PressAsync("Regenerate");
        await Expect(page[".message.assistant:not(.waits)"]).ToContainTextAsync(Name, Patiently);
        await Expect(page[".message.assistant"]).ToHaveCountAsync(1);
        page.IsInnocent();
    }

    [Fact]
    public async Task What_goes_wrong_is_said_in_its_place()
    {
        await using var page = await OpenAsync();
        await page["#file"].SetInputFilesAsync(new FilePayload { Name = "notes.png", MimeType = "image/png", Buffer = "not an image"u8.ToArray() });
        await Expect(page["#problem"]).ToContainTextAsync("no image");

        await page["#max_tokens"].FillAsync("100000");
        await AskAsync(page, "Describe this image.");
        await Expect(page[".message.failed .note"]).ToContainTextAsync("tokens", Patiently);
        await Expect(page["#problem"]).ToBeEmptyAsync();
        await Expect(page[".verdict"].First).ToBeHiddenAsync();
        await Expect(page["#again"]).ToBeEnabledAsync();
        page.IsInnocent();
    }

    [Fact]
    public async Task What_a_model_says_is_text_whatever_it_says()
    {
        await using var page = await OpenAsync();
        await page.Page.RouteAsync(ChatRoute, route => route.FulfillAsync(new()
        {
            ContentType = "text/event-stream",
            Body = $$$"""data: {"choices":[{"index":0,"delta":{"content":"{{{PagesUnderTest.Hostile}}}<script>alert(2)</script>"},"finish_reason":"stop"}]}""" + "\n\ndata: [DONE]\n\n",
        }));
        await AskAsync(page, "<b>Hi</b>");

        await Expect(page[".message.assistant"]).ToHaveTextAsync(PagesUnderTest.Hostile + "<script>alert(2)</script>");
        await Expect(page[".message.user"]).ToContainTextAsync("<b>Hi</b>");
        page.IsInnocent();
    }

    [Fact]
    public async Task It_fits_a_narrow_screen_and_is_used_from_the_keyboard()
    {
        await using var page = await OpenAsync(new() { ViewportSize = new() { Width = 375, Height = 800 } });
        await page["#question"].FocusAsync();
        await page.Page.Keyboard.TypeAsync("Hello");
        await page.Page.Keyboard.PressAsync("Enter");
        await Expect(page[".message.assistant:not(.waits)"]).ToHaveCountAsync(1, new() { Timeout = 60_000 });

        await Expect(page["#question"]).ToBeFocusedAsync();
        await Expect(page["#question"]).ToHaveValueAsync("");
        Assert.True(await page.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth") <= 375);
        page.IsInnocent();
    }

    private static bool ChatRequest(IRequest request) => request.Url.EndsWith("/v1/chat/completions", StringComparison.Ordinal);

    private static async Task AskAsync(WatchedPage page, string question)
    {
        await page["#file"].SetInputFilesAsync(new FilePayload { Name = "scene.png", MimeType = "image/png", Buffer = ScenePixels.Png(Drawn, 160) });
        await Expect(page["#preview"]).ToBeVisibleAsync();
        await page["#temperature"].FillAsync("0");
        await page["#question"].FillAsync(question);
        await page.PressAsync("Send");
    }

    private async Task<WatchedPage> OpenAsync(BrowserNewContextOptions? options = null)
    {
        WatchedPage page = new(await (await pages.SignedInAsync(options)).NewPageAsync(), pages.Link);
        await page.GoAsync("/playground");
        return page;
    }
}
