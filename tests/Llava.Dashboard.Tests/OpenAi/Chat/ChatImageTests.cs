using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Llava.Contracts.Interactive;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Files;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Dashboard.Tests.OpenAi.Chat;

/// <summary>Messages with images: who may show what from where, and how much of it.</summary>
public sealed class ChatImageTests : IAsyncLifetime
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 300).Select(value => (byte)(value * 7))];
    private static readonly string Data = "data:image/png;base64," + Convert.ToBase64String(Bytes);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-chat-images-");
    private readonly ChatServer _chat = new();

    public Task InitializeAsync()
    {
        _folder.CreateSubdirectory("open");
        _chat.Server.With("Llava:Chat:Input:ImageRoots:0", Path.Combine(_folder.FullName, "open"))
            .With("Llava:Chat:Input:MaxImages", "3").With("Llava:Chat:Input:MaxImageBytes", "1024").With("Llava:Chat:Input:MaxAllImageBytes", "1600")
            .With("Llava:Chat:Input:MaxCharacters", "2000").With("Llava:Chat:Input:MaxMessages", "4").With("Llava:Chat:Input:MaxBodyBytes", "20000");
        return _chat.InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        await _chat.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task An_image_inside_the_request_reaches_the_model_in_whatever_form_it_is_written()
    {
        var odd = "data:;base64," + Convert.ToBase64String(Bytes, Base64FormattingOptions.InsertLineBreaks).Replace('+', '-').Replace('/', '_').TrimEnd('=');
        foreach (var part in new[]
        {
            $$$"""{"type":"image_url","image_url":{"url":"{{{Data}}}","detail":"high"}}""",
            $$"""{"type":"image_url","image_url":"{{Data}}"}""",
            $$"""{"type":"input_image","image_url":"{{Data}}","detail":"auto"}""",
            $$$"""{"type":"image_url","image_url":{"url":{{{JsonSerializer.Serialize(odd)}}}}}""",
        })
        {
            await _chat.AnswerAsync(ChatServer.Showing(part));
            Assert.Equal(Bytes, Assert.Single(Assert.Single(_chat.Models.Asked.Turns).Images));
            Assert.Equal("What is this?", _chat.Models.Asked.Turns[0].Text);
        }
    }

    [Fact]
    public async Task Images_stay_with_their_messages()
    {
        await _chat.AnswerAsync(ChatServer.Saying($$$"""
            [{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:;base64,AAAA"}},{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:;base64,AQEB"}}]},
             {"role":"assistant","content":"b"},{"role":"user","content":[{"type":"text","text":"c"},{"type":"image_url","image_url":{"url":"data:;base64,AgIC"}}]}]
            """));

        Assert.Equal([[0, 1], [], [2]], _chat.Models.Asked.Turns.Select(turn => turn.Images.Select(image => (int)image[0]).ToArray()));
    }

    [Fact]
    public async Task A_file_that_was_sent_before_is_shown_to_its_tenant_only()
    {
        var files = _chat.Server.Get<FileStore>();
        var own = await files.CreateAsync(Server.Tenant, new("a.png", "vision"), new MemoryStream(Bytes), 1 << 20);
        var others = await files.CreateAsync("others", new("a.png", "vision"), new MemoryStream(Bytes), 1 << 20);

        await _chat.AnswerAsync(ChatServer.ShowingUrl($"file-id:{own.Id}"));
        Assert.Equal(Bytes, _chat.Models.Asked.Turns[0].Images[0]);
        Assert.Equal(404, (await _chat.RefusalAsync(ChatServer.ShowingUrl($"file-id:{others.Id}"))).Status);
    }

    [Fact]
    public async Task A_path_is_read_below_the_allowed_folders_only()
    {
        var (open, closed) = (Path.Combine(_folder.FullName, "open", "a b.png"), Path.Combine(_folder.FullName, "closed.png"));
        await File.WriteAllBytesAsync(open, Bytes);
        await File.WriteAllBytesAsync(closed, Bytes);
        File.CreateSymbolicLink(Path.Combine(_folder.FullName, "open", "link.png"), closed);

        await _chat.AnswerAsync(ChatServer.ShowingUrl($"file://{open.Replace(" ", "%20", StringComparison.Ordinal)}"));
        Assert.Equal(Bytes, _chat.Models.Asked.Turns[0].Images[0]);
        foreach (var path in new[] { closed, Path.Combine(_folder.FullName, "open", "..", "closed.png"), Path.Combine(_folder.FullName, "open", "link.png"), "/etc/passwd", Path.Combine(_folder.FullName, "open", "none.png") })
        {
            var (status, code, param, message) = await _chat.RefusalAsync(ChatServer.ShowingUrl($"file://{path}"));
            Assert.Equal((400, "invalid_image_url", "messages[0].content[1].image_url.url"), (status, code, param));
            Assert.DoesNotContain(_folder.FullName, message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("https://example.com/a.png", "invalid_image_url")]
    [InlineData("http://127.0.0.1:1/a.png", "invalid_image_url")]
    [InlineData("s3://bucket/a.png", "invalid_image_url")]
    [InlineData("a.png", "invalid_image_url")]
    [InlineData("data:image/png;base64,%%%", "invalid_image_url")]
    [InlineData("data:image/png,abc", "invalid_image_url")]
    public async Task What_is_no_image_that_may_be_had_is_refused_by_its_field(string url, string code)
    {
        var refusal = await _chat.RefusalAsync(ChatServer.ShowingUrl(url));

        Assert.Equal((400, code, "messages[0].content[1].image_url.url"), (refusal.Status, refusal.Code, refusal.Param));
    }

    [Theory]
    [InlineData("""{"type":"input_audio","input_audio":{}}""", "unsupported_parameter", "messages[0].content[1].type")]
    [InlineData("""{"type":"file","file":{}}""", "unsupported_parameter", "messages[0].content[1].type")]
    [InlineData("""{"type":"image_url"}""", "invalid_value", "messages[0].content[1].image_url")]
    [InlineData("""{"type":"image_url","image_url":{"url":7}}""", "invalid_value", "messages[0].content[1].image_url.url")]
    [InlineData("""{"type":"image_url","image_url":{"url":"data:;base64,AAAA","detail":"huge"}}""", "invalid_value", "messages[0].content[1].image_url.detail")]
    [InlineData("""{"type":"text"}""", "invalid_value", "messages[0].content[1].text")]
    [InlineData("""{"text":"a"}""", "invalid_value", "messages[0].content[1]")]
    public async Task A_part_that_cannot_be_understood_is_refused_by_its_field(string part, string code, string param)
    {
        var refusal = await _chat.RefusalAsync(ChatServer.Showing(part));

        Assert.Equal((400, code, param), (refusal.Status, refusal.Code, refusal.Param));
    }

    [Theory]
    [InlineData("""[{"role":"tool","content":"a","tool_call_id":"b"}]""", "unsupported_parameter", "messages[0].role")]
    [InlineData("""[{"role":"king","content":"a"}]""", "invalid_value", "messages[0].role")]
    [InlineData("""[{"content":"a"}]""", "missing_required_parameter", "messages[0].role")]
    [InlineData("""[{"role":"user"}]""", "missing_required_parameter", "messages[0].content")]
    [InlineData("""[{"role":"user","content":null}]""", "invalid_value", "messages[0].content")]
    [InlineData("""[{"role":"system","content":[{"type":"image_url","image_url":{"url":"data:;base64,AAAA"}}]},{"role":"user","content":"a"}]""", "unsupported_parameter", "messages[0].content[0].type")]
    [InlineData("""[{"role":"user","content":"a"},{"role":"assistant","content":null,"tool_calls":[{}]},{"role":"user","content":"a"}]""", "unsupported_parameter", "messages[1].tool_calls")]
    [InlineData("""[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]""", "invalid_value", "messages")]
    [InlineData("""[{"role":"assistant","content":"b"},{"role":"user","content":"a"}]""", "invalid_value", "messages")]
    [InlineData("""[{"role":"system","content":"b"}]""", "invalid_value", "messages")]
    [InlineData("""[{"role":"user","content":"a"},{"role":"user","content":"a"},{"role":"user","content":"a"},{"role":"user","content":"a"},{"role":"user","content":"a"}]""", "invalid_value", "messages")]
    public async Task Messages_that_cannot_be_understood_are_refused_by_their_field(string messages, string code, string param)
    {
        var refusal = await _chat.RefusalAsync(ChatServer.Saying(messages));

        Assert.Equal((400, code, param), (refusal.Status, refusal.Code, refusal.Param));
    }

    [Fact]
    public async Task What_is_too_much_is_refused()
    {
        Assert.Equal((400, "image_too_large"), Short(await _chat.RefusalAsync(ChatServer.ShowingUrl("data:;base64," + Convert.ToBase64String(new byte[1030])))));
        Assert.Equal((400, "image_too_large"), Short(await _chat.RefusalAsync(Showing(Enumerable.Repeat("data:;base64," + Convert.ToBase64String(new byte[1000]), 2)))));
        Assert.Equal((400, "invalid_value"), Short(await _chat.RefusalAsync(Showing(Enumerable.Repeat("data:;base64,AAAA", 4)))));
        Assert.Equal((400, "invalid_value"), Short(await _chat.RefusalAsync(ChatServer.Asking(new string('a', 2001)))));
        Assert.Equal(413, (await _chat.RefusalAsync(ChatServer.Asking(new string('a', 30_000)))).Status);
    }

    [Fact]
    public async Task Embeddings_come_as_numbers_or_as_their_bytes()
    {
        JsonObject body = new() { ["model"] = "scenes", ["input"] = new JsonArray(Data, new JsonObject { ["type"] = "image_url", ["image_url"] = new JsonObject { ["url"] = Data } }) };
        var numbers = await _chat.AnswerAsync(body, "/v1/embeddings");
        body["encoding_format"] = "base64";
        var text = (await _chat.AnswerAsync(body, "/v1/embeddings")).GetProperty("data")[1];

        Assert.Equal(("list", "scenes", 2, 128), (
            numbers.GetProperty("object").GetString(), numbers.GetProperty("model").GetString(), numbers.GetProperty("data").GetArrayLength(), numbers.GetProperty("usage").GetProperty("total_tokens").GetInt32()));
        Assert.Equal([0.6f, -0.8f], numbers.GetProperty("data")[0].GetProperty("embedding").EnumerateArray().Select(value => value.GetSingle()));
        Assert.Equal(("embedding", 1), (text.GetProperty("object").GetString(), text.GetProperty("index").GetInt32()));
        Assert.Equal([0.6f, -0.8f], System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(text.GetProperty("embedding").GetBytesFromBase64()).ToArray());
    }

    [Theory]
    [InlineData("input", "\"a cat\"", "unsupported_input", "input")]
    [InlineData("input", "[[1,2,3]]", "unsupported_input", "input[0]")]
    [InlineData("input", "[]", "missing_required_parameter", "input")]
    [InlineData("dimensions", "512", "unsupported_parameter", "dimensions")]
    [InlineData("encoding_format", "\"int8\"", "invalid_value", "encoding_format")]
    [InlineData("model", "null", "missing_required_parameter", "model")]
    public async Task An_embedding_of_what_is_no_image_is_refused_by_name(string field, string value, string code, string param)
    {
        JsonObject body = new() { ["model"] = "scenes", ["input"] = Data };
        body[field] = JsonNode.Parse(value);
        var refusal = await _chat.RefusalAsync(body, "/v1/embeddings");

        Assert.Equal((400, code, param), (refusal.Status, refusal.Code, refusal.Param));
    }

    [Fact]
    public async Task A_text_is_continued_as_it_stands()
    {
        JsonObject body = new() { ["model"] = "scenes", ["prompt"] = "Once", ["n"] = 1 };
        var answer = await _chat.AnswerAsync(body, "/v1/completions");
        var choice = answer.GetProperty("choices")[0];

        Assert.Equal(("Once", 16), (_chat.Models.Asked.Plain, _chat.Models.Asked.Settings.MaxNewTokens));
        Assert.Equal(("text_completion", "A circle — blau.", 0, "stop", JsonValueKind.Null), (
            answer.GetProperty("object").GetString(), choice.GetProperty("text").GetString(), choice.GetProperty("index").GetInt32(), choice.GetProperty("finish_reason").GetString(), choice.GetProperty("logprobs").ValueKind));
        body["logprobs"] = 3;
        Assert.Equal("logprobs", (await _chat.RefusalAsync(body, "/v1/completions")).Param);
        body.Remove("logprobs");
        body["stream"] = true;
        using var stream = await _chat.PostAsync(body, "/v1/completions");
        var text = await stream.Content.ReadAsStringAsync();
        Assert.Contains("\"text\":\"A circle\"", text, StringComparison.Ordinal);
        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
    }

    private static JsonObject Showing(IEnumerable<string> urls) => ChatServer.Saying(
        $$"""[{"role":"user","content":[{{string.Join(',', urls.Select(url => $$$"""{"type":"image_url","image_url":{"url":"{{{url}}}"}}"""))}}]}]""");

    private static (int Status, string Code) Short((int Status, string Code, string? Param, string Message) refusal) => (refusal.Status, refusal.Code);
}
