using System.Net;
using System.Net.Http.Json;
using Llava.Ledger.Keys;

namespace Llava.Dashboard.Tests.Api;

/// <summary>Reviews and what is made of them, for programs.</summary>
public sealed class ReviewEndpointTests(Server server) : IClassFixture<Server>
{
    [Fact]
    public async Task Reviews_are_added_counted_and_listed()
    {
        using var http = await server.CallerAsync(AccessRole.Operator);
        var job = await server.FinishedJobAsync(3);

        using var added = await http.PostAsJsonAsync($"/api/v1/jobs/{job}/items/1/reviews", new { verdict = "edited", text = "better" });

        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        Assert.Equal("answer 1", (await Server.JsonAsync(added)).GetProperty("original").GetString());
        using var counts = await http.GetAsync(new Uri($"/api/v1/jobs/{job}/reviews", UriKind.Relative));
        Assert.Equal(1, (await Server.JsonAsync(counts)).GetProperty("edited").GetInt64());
        using var history = await http.GetAsync(new Uri($"/api/v1/jobs/{job}/items/1/reviews", UriKind.Relative));
        Assert.Equal("better", (await Server.JsonAsync(history)).GetProperty("data")[0].GetProperty("text").GetString());
    }

    [Fact]
    public async Task What_cannot_be_said_is_refused()
    {
        using var http = await server.CallerAsync(AccessRole.Operator);
        var job = await server.FinishedJobAsync(2, item => item == 1 ? "image_empty" : null);

        using var failed = await http.PostAsJsonAsync($"/api/v1/jobs/{job}/items/1/reviews", new { verdict = "accepted" });
        using var unknown = await http.PostAsJsonAsync($"/api/v1/jobs/{job}/items/0/reviews", new { verdict = "perfect" });
        using var nothing = await http.PostAsJsonAsync($"/api/v1/jobs/{job}/training-file", new { format = "llava" });

        Assert.Equal((HttpStatusCode.Conflict, "item_not_answered"), (await Server.ErrorAsync(failed)) is var one ? (one.Status, one.Code) : default);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "verdict"), (await Server.ErrorAsync(unknown)) is var two ? (two.Status, two.Param) : default);
        Assert.Equal((HttpStatusCode.Conflict, "nothing_reviewed"), (await Server.ErrorAsync(nothing)) is var three ? (three.Status, three.Code) : default);
    }

    [Theory]
    [InlineData("llava", "\"conversations\"", ".json")]
    [InlineData("openai", "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"file:///data/0.jpg\"}},{\"type\":\"text\",\"text\":\"Describe.\"}]},{\"role\":\"assistant\",\"content\":\"answer 0\"}]}", ".jsonl")]
    public async Task Reviewed_answers_become_a_file_to_train_on(string format, string holds, string suffix)
    {
        using var http = await server.CallerAsync(AccessRole.Operator);
        var job = await server.FinishedJobAsync(3);
        using var accepted = await http.PostAsJsonAsync($"/api/v1/jobs/{job}/items/0/reviews", new { verdict = "accepted" });
        using var rejected = await http.PostAsJsonAsync($"/api/v1/jobs/{job}/items/1/reviews", new { verdict = "rejected" });

        using var made = await http.PostAsJsonAsync($"/api/v1/jobs/{job}/training-file", new { format });

        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        var file = await Server.JsonAsync(made);
        Assert.Equal("fine-tune", file.GetProperty("purpose").GetString());
        Assert.EndsWith(suffix, file.GetProperty("filename").GetString(), StringComparison.Ordinal);
        var content = await http.GetStringAsync(new Uri($"/v1/files/{file.GetProperty("id").GetString()}/content", UriKind.Relative));
        Assert.Contains(holds, content, StringComparison.Ordinal);
        Assert.DoesNotContain("answer 1", content, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_operators_of_the_tenant_review()
    {
        using var viewer = await server.CallerAsync(AccessRole.Viewer);
        using var stranger = await server.CallerAsync(AccessRole.Operator, "elsewhere");
        var job = await server.FinishedJobAsync(1);

        using var forbidden = await viewer.PostAsJsonAsync($"/api/v1/jobs/{job}/items/0/reviews", new { verdict = "accepted" });
        using var missing = await stranger.PostAsJsonAsync($"/api/v1/jobs/{job}/items/0/reviews", new { verdict = "accepted" });

        Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task Results_are_exported_as_a_file_and_an_unknown_format_is_told()
    {
        using var http = await server.CallerAsync(AccessRole.Viewer);
        var job = await server.FinishedJobAsync(3);

        using var export = await http.GetAsync(new Uri($"/api/v1/jobs/{job}/export?format=jsonl", UriKind.Relative));
        using var unknown = await http.GetAsync(new Uri($"/api/v1/jobs/{job}/export?format=docx", UriKind.Relative));

        Assert.Equal($"{job}.jsonl", export.Content.Headers.ContentDisposition!.FileName);
        Assert.Equal(3, (await export.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, unknown.StatusCode);
    }
}
