using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Llava.ModelCore.Scenes;

namespace Llava.EndToEndTests;

/// <summary>Chats with the model that ships, over HTTP.</summary>
public sealed class ChatTests(LlavaServer server) : IClassFixture<LlavaServer>
{
    private static readonly Scene Drawn = Scene.FromSeed(Scene.FirstHeldOutSeed + 11, maxObjects: 1);
    private static readonly string Picture = "data:image/png;base64," + Convert.ToBase64String(ScenePixels.Png(Drawn, 160));

    [Fact]
    public async Task A_question_about_a_drawn_scene_is_answered_rightly_at_once_and_as_a_stream()
    {
        using var caller = await CallerAsync();
        var (color, shape) = (Word(Drawn.Objects[0].Color), Word(Drawn.Objects[0].Shape));
        using var response = await PostAsync(caller, Asking("Describe this image.", stream: false));
        var answer = JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsStringAsync());
        var text = answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;

        Assert.Contains($"{color} {shape}", text, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("stop", answer.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(64, answer.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("image_tokens").GetInt32());
        using var streamed = await PostAsync(caller, Asking("Describe this image.", stream: true));
        var parts = Deltas(await streamed.Content.ReadAsStringAsync());
        Assert.True(parts.Count > 3);
        Assert.Equal(text, string.Concat(parts));
    }

    [Fact]
    public async Task An_answer_is_valid_for_its_schema_and_a_choice_comes_with_its_scores()
    {
        using var caller = await CallerAsync();
        using var shaped = await PostAsync(caller, new
        {
            model = "llava-scenes",
            temperature = 1,
            messages = new[] { new { role = "user", content = Parts("Describe this image.") } },
            response_format = JsonSerializer.Deserialize<JsonElement>("""{"type":"json_schema","json_schema":{"name":"scene","schema":{"type":"object","properties":{"shape":{"enum":["circle","ring"]},"count":{"type":"integer","minimum":0,"maximum":9}},"required":["shape","count"],"additionalProperties":false}}}"""),
        });
        var content = JsonSerializer.Deserialize<JsonElement>(await shaped.Content.ReadAsStringAsync()).GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
        Assert.InRange(JsonElement.Parse(content).GetProperty("count").GetInt32(), 0, 9);

        var shape = Word(Drawn.Objects[0].Shape);
        using var scored = await PostAsync(caller, new
        {
            model = "llava-scenes",
            temperature = 0,
            messages = new[] { new { role = "user", content = Parts("What is this?") } },
            guided_choice = new[] { "circle", "square", "triangle", "star", "cross", "ring" }.Select(name => $"a {Word(Drawn.Objects[0].Color)} {name}"),
        });
        var choice = JsonSerializer.Deserialize<JsonElement>(await scored.Content.ReadAsStringAsync()).GetProperty("choices")[0];
        Assert.Equal(($"a {Word(Drawn.Objects[0].Color)} {shape}", 6), (choice.GetProperty("message").GetProperty("content").GetString(), choice.GetProperty("x_choices").GetArrayLength()));
    }

    [Fact]
    public async Task A_schema_that_is_not_supported_is_refused_by_its_place()
    {
        using var caller = await CallerAsync();
        using var refused = await PostAsync(caller, new { model = "llava-scenes", guided_json = new { not = new { } }, messages = new[] { new { role = "user", content = "Hi" } } });
        var body = await refused.Content.ReadAsStringAsync();
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_json_schema"), await CodeAsync(refused));
        Assert.Contains("#/not", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_conversation_goes_on_about_the_image_of_its_first_turn()
    {
        using var caller = await CallerAsync();
        var shape = Word(Drawn.Objects[0].Shape);
        object[] messages =
        [
            new { role = "user", content = Parts("Describe this image.") },
            new { role = "assistant", content = $"A {Word(Drawn.Objects[0].Color)} {shape}." },
            new { role = "user", content = $"Tell me the color of the {shape}." },
        ];
        using var response = await PostAsync(caller, new { model = "llava-scenes", temperature = 0, messages });

        Assert.Contains($"\"content\":\"{Word(Drawn.Objects[0].Color)}", await response.Content.ReadAsStringAsync(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_prompt_beyond_the_context_and_bytes_that_are_no_image_are_refused_with_their_cause()
    {
        using var caller = await CallerAsync();
        using var tooLong = await PostAsync(caller, new { model = "llava-scenes", messages = new[] { new { role = "user", content = string.Join(' ', Enumerable.Repeat("circle", 20_000)) } } });
        using var noImage = await PostAsync(caller, new { model = "llava-scenes", messages = new[] { new { role = "user", content = new[] { new { type = "image_url", image_url = new { url = "data:image/png;base64,AAAA" } } } } } });

        Assert.Equal((HttpStatusCode.BadRequest, "context_length_exceeded"), await CodeAsync(tooLong));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_image"), await CodeAsync(noImage));
    }

    [Fact]
    public async Task An_image_has_an_embedding_near_that_of_the_same_scene_and_not_of_another()
    {
        using var caller = await CallerAsync();
        string[] input = [Picture, "data:;base64," + Convert.ToBase64String(ScenePixels.Png(Drawn, 200)), "data:;base64," + Convert.ToBase64String(ScenePixels.Png(Scene.FromSeed(Scene.FirstHeldOutSeed + 12, maxObjects: 3), 160))];
        using var response = await caller.PostAsJsonAsync("/v1/embeddings", new { model = "llava-scenes", input });
        var vectors = JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsStringAsync()).GetProperty("data").EnumerateArray()
            .Select(one => one.GetProperty("embedding").EnumerateArray().Select(value => value.GetSingle()).ToArray()).ToList();

        Assert.True(Dot(vectors[0], vectors[1]) > Dot(vectors[0], vectors[2]), $"{Dot(vectors[0], vectors[1])} and {Dot(vectors[0], vectors[2])}");
    }

    [Fact]
    public async Task Whoever_goes_away_makes_room_for_the_next()
    {
        using var caller = await CallerAsync();
        // Long enough that neither ends by itself in this test's time.
        var endless = new { model = "llava-scenes", stream = true, n = 64, ignore_eos = true, max_tokens = 300, messages = new[] { new { role = "user", content = Parts("Describe this image.") } } };
        using var first = await OpenAsync(caller, endless);
        using var second = await OpenAsync(caller, endless);
        using var refused = await PostAsync(caller, Asking("What is this?", stream: false));
        Assert.Equal(((HttpStatusCode)429, "rate_limit_exceeded"), await CodeAsync(refused));
        Assert.True(refused.Headers.Contains("retry-after-ms"));

        first.Dispose();
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(1));
        while (true)
        {
            using var answered = await PostAsync(caller, Asking("What is this?", stream: false));
            if (answered.StatusCode == HttpStatusCode.OK)
            {
                break;
            }

            await Task.Delay(20, limit.Token);
        }
    }

    private static object[] Parts(string question) => [new { type = "text", text = question }, new { type = "image_url", image_url = new { url = Picture } }];

    private static object Asking(string question, bool stream) =>
        new { model = "llava-scenes", stream, temperature = 0, messages = new[] { new { role = "user", content = Parts(question) } } };

    private static string Word<T>(T value) => value!.ToString()!.ToLowerInvariant();

    private static double Dot(float[] one, float[] other) => one.Zip(other, (a, b) => (double)a * b).Sum();

    private static List<string> Deltas(string stream)
    {
        Assert.EndsWith("data: [DONE]\n\n", stream, StringComparison.Ordinal);
        return [.. stream.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)[..^1]
            .SelectMany(text => JsonSerializer.Deserialize<JsonElement>(text["data: ".Length..]).GetProperty("choices").EnumerateArray())
            .Select(choice => choice.GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString()! : "")
            .Where(content => content.Length > 0)];
    }

    private static async Task<(HttpStatusCode Status, string? Code)> CodeAsync(HttpResponseMessage response)
    {
        var error = JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsStringAsync()).GetProperty("error");
        return (response.StatusCode, error.GetProperty("code").GetString());
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient caller, object body) => caller.PostAsJsonAsync("/v1/chat/completions", body);

    private static async Task<HttpResponseMessage> OpenAsync(HttpClient caller, object body)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions") { Content = JsonContent.Create(body) };
        return await caller.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private async Task<HttpClient> CallerAsync() =>
        new() { BaseAddress = new(server.Address), DefaultRequestHeaders = { Authorization = new("Bearer", (await File.ReadAllTextAsync(server.KeyFile)).Trim()) } };
}
