using System.Text.Json;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;

namespace Llava.Scheduler.Tests.Sources;

public sealed class OpenAiBatchTests : SourceFolder
{
    private static readonly byte[] Picture = [0xFF, 0xD8, 0xFF, .. Enumerable.Range(0, 300).Select(i => (byte)(i * 7))];

    [Fact]
    public async Task Lines_are_questions_with_images_from_files_and_from_inside_the_file()
    {
        WriteImages("a.png");
        var escaped = JsonSerializer.Serialize($"data:image/png;base64,{Convert.ToBase64String(Picture)}");
        Assert.Contains("\\u002B", escaped, StringComparison.Ordinal);
        var source = Batch(
            Line("one", """[{"type":"text","text":"What?"},{"type":"image_url","image_url":{"url":"a.png","detail":"low"}}]"""),
            Line("two", $$$"""[{"type":"image_url","image_url":{"url":"file://{{{Root}}}/a.png"}},{"type":"image_url","image_url":{{{escaped}}}},{"type":"text","text":"A"},{"type":"text","text":"B"}]"""),
            Line("three", "\"only text\""));

        var items = await ReadAsync(source);

        Assert.All(items, item => Assert.Null(item.Item.Rejection));
        Assert.Equal([("one", "What?"), ("two", "A\nB"), ("three", "only text")], items.Select(item => (item.Item.Spec.CustomId, item.Item.Spec.Prompt)));
        Assert.Equal([[Path.Combine(Root, "a.png")], [Path.Combine(Root, "a.png"), items[1].Item.Spec.Images[1]], []], items.Select(item => item.Item.Spec.Images));
        Assert.StartsWith($"{source.Path}#", items[1].Item.Spec.Images[1], StringComparison.Ordinal);
        Assert.Equal(Picture, await ImageLocation.Parse(items[1].Item.Spec.Images[1]).ReadAsync(default));
        await AssertResumableAsync(source);
    }

    [Theory]
    [InlineData("\"temperature\":0.7", "unsupported_parameter", "'temperature' is 0.7 and the job's is 0.2")]
    [InlineData("\"max_tokens\":100", "unsupported_parameter", "'max_tokens'")]
    [InlineData("\"n\":2", "unsupported_parameter", "'n'")]
    [InlineData("\"tools\":[]", "unsupported_parameter", "'tools' is not supported")]
    [InlineData("\"stop\":[\"x\"]", "unsupported_parameter", "'stop'")]
    [InlineData("\"seed\":1", "unsupported_parameter", "'seed'")]
    [InlineData("\"stream\":true", "unsupported_parameter", "'stream'")]
    [InlineData("\"model\":\"gpt-4o\"", "mismatched_model", "gpt-4o")]
    public async Task What_a_line_asks_for_against_its_job_is_refused_by_name(string setting, string code, string reason)
    {
        var job = Job($$$"""{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":{{{{setting}}},"messages":[{"role":"user","content":"?"}]}}""");

        var item = Assert.Single(await ReadJobAsync(job)).Item;

        Assert.Equal(("x", code), (item.Spec.CustomId, item.Rejection?.Code));
        Assert.Contains(reason, item.Rejection!.Message, StringComparison.Ordinal);
        Assert.StartsWith("Line 1 of", item.Rejection.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_line_says_as_its_job_does_or_without_effect_is_accepted()
    {
        var job = Job("""
            {"custom_id":"x","method":"POST","url":"/chat/completions","body":{"model":"m","temperature":0.2,"max_completion_tokens":512,"stop":"END","top_p":1,"n":1,"stream":false,"presence_penalty":0,"seed":null,"user":"u","metadata":{},"messages":[{"role":"user","content":"?"}]}}
            """);

        Assert.Null(Assert.Single(await ReadJobAsync(job)).Item.Rejection);
    }

    [Theory]
    [InlineData("""{"custom_id":"x","method":"GET","url":"/v1/chat/completions","body":{}}""", "x", "invalid_method")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/embeddings","body":{}}""", "x", "url_mismatch")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/chat/completions"}""", "x", "missing_required_parameter")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":{"messages":[]}}""", "x", "missing_required_parameter")]
    [InlineData("""{"method":"POST","url":"/v1/chat/completions","body":{}}""", "line-1", "invalid_line")]
    [InlineData("""{"custom_id":"x",""", "line-1", "invalid_line")]
    public async Task A_line_of_another_shape_fails_with_openais_word_for_it(string line, string id, string code)
    {
        var item = Assert.Single(await ReadAsync(Batch(line))).Item;

        Assert.Equal((id, code), (item.Spec.CustomId, item.Rejection?.Code));
    }

    [Theory]
    [InlineData("""[{"type":"text","text":"?"},{"type":"image_url","image_url":{"url":"ftp://host/a.png"}}]""", "path_not_allowed")]
    [InlineData("""[{"type":"text","text":"?"},{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]""", "path_not_allowed")]
    [InlineData("""[{"type":"text","text":"?"},{"type":"image_url","image_url":{"url":"none.png"}}]""", "image_not_found")]
    [InlineData("""[{"type":"text","text":"?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,*"}}]""", "invalid_image_url")]
    [InlineData("""[{"type":"text","text":"?"},{"type":"image_url","image_url":{"url":"data:image/png,abc"}}]""", "invalid_image_url")]
    [InlineData("""[{"type":"input_audio"}]""", "unsupported_parameter")]
    [InlineData("""[{"type":"image_url","image_url":{"url":"none.png"}}]""", "missing_required_parameter")]
    [InlineData("""[{"type":"text"}]""", "invalid_line")]
    public async Task A_part_that_cannot_be_asked_fails_its_line(string content, string code) =>
        Assert.Equal(code, Assert.Single(await ReadAsync(Batch(Line("x", content)))).Item.Rejection?.Code);

    [Fact]
    public async Task A_conversation_of_several_messages_is_refused_with_its_roles() => Assert.Contains(
        "of system, user",
        Assert.Single(await ReadAsync(Batch("""{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":{"messages":[{"role":"system","content":"s"},{"role":"user","content":"?"}]}}"""))).Item.Rejection!.Message,
        StringComparison.Ordinal);

    private static string Line(string id, string content) =>
        $$$"""{"custom_id":"{{{id}}}","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":{{{content}}}}]}}""";

    private JobRequest Job(string line) => new() { Model = "/models/m", Source = Batch(line), Generation = new() { Temperature = 0.2, StopStrings = ["END"] } };

    private SourceDescription Batch(params string[] lines) => new() { Kind = SourceKind.OpenAiBatch, Path = Write("batch.jsonl", lines) };
}
