using System.Text.Json;
using Llava.Contracts.Interactive;
using Llava.Contracts.OpenAi;
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
    [InlineData("\"n\":2", "unsupported_parameter", "'n'")]
    [InlineData("\"logprobs\":true", "unsupported_parameter", "'logprobs'")]
    [InlineData("\"stream\":true", "unsupported_parameter", "'stream'")]
    [InlineData("\"tools\":[{}]", "unsupported_parameter", "'tools' is not supported")]
    [InlineData("\"response_format\":{\"type\":\"xml\"}", "invalid_value", "'response_format'")]
    [InlineData("\"temperature\":3", "invalid_value", "'temperature'")]
    [InlineData("\"max_tokens\":\"many\"", "invalid_type", "'max_tokens'")]
    [InlineData("\"model\":\"gpt-4o\"", "mismatched_model", "gpt-4o")]
    public async Task What_a_line_asks_for_that_items_cannot_do_is_refused_by_name(string setting, string code, string reason)
    {
        var job = Job($$$"""{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":{{{{setting}}},"messages":[{"role":"user","content":"?"}]}}""");

        var item = Assert.Single(await ReadJobAsync(job)).Item;

        Assert.Equal(("x", code), (item.Spec.CustomId, item.Rejection?.Code));
        Assert.Contains(reason, item.Rejection!.Message, StringComparison.Ordinal);
        Assert.StartsWith("Line 1 of", item.Rejection.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_line_says_of_settings_holds_for_it_and_what_it_leaves_out_is_the_jobs()
    {
        var job = Job("""
            {"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":{"model":"m","max_tokens":7,"top_k":-1,"presence_penalty":0.5,"logit_bias":{"3":-100},"seed":5,"messages":[{"role":"user","content":"?"}]}}
            """);

        var settings = Assert.Single(await ReadJobAsync(job)).Item.Spec.Chat!.Settings;

        Assert.Equal((7, 0.2, 0, 0.5, 5L), (settings.MaxNewTokens, settings.Temperature, settings.TopK, settings.PresencePenalty, settings.Seed));
        Assert.Equal(["END"], settings.StopStrings);
        Assert.Equal(-100, settings.LogitBias[3]);
    }

    [Fact]
    public async Task A_line_may_give_its_answer_a_form()
    {
        var job = Job("""
            {"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":{"messages":[{"role":"user","content":"?"}],"structured_outputs":{"choice":["yes","no"]}}}
            {"custom_id":"y","method":"POST","url":"/v1/chat/completions","body":{"messages":[{"role":"user","content":"?"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"integer"}}}}}
            """);

        var settings = (await ReadJobAsync(job)).ConvertAll(item => item.Item.Spec.Chat!.Settings);

        Assert.Equal(["yes", "no"], settings[0].Alternatives!);
        Assert.Equal("""{"type":"integer"}""", settings[1].JsonSchema?.GetRawText());
    }

    [Fact]
    public async Task A_conversation_keeps_its_turns_and_deals_its_images_out()
    {
        WriteImages("a.png", "b.png", "c.png");
        const string Picture = """{"type":"image_url","image_url":{"url":"NAME"}}""";
        var first = $"[{Picture.Replace("NAME", "a.png", StringComparison.Ordinal)},{Picture.Replace("NAME", "b.png", StringComparison.Ordinal)},{{\"type\":\"text\",\"text\":\"A?\"}}]";
        var last = $"[{{\"type\":\"text\",\"text\":\"C?\"}},{Picture.Replace("NAME", "c.png", StringComparison.Ordinal)}]";
        var line = $$$"""{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":{"messages":[{"role":"developer","content":"Short."},{"role":"user","content":{{{first}}}},{"role":"assistant","content":"B."},{"role":"user","content":{{{last}}}}]}}""";

        var spec = Assert.Single(await ReadAsync(Batch(line))).Item.Spec;
        var chat = ItemChat.Read(spec.Chat!.Write());

        Assert.Equal(("C?", "Short."), (spec.Prompt, chat.System));
        Assert.Equal([new(ChatSpeaker.User, "A?", 2), new(ChatSpeaker.Assistant, "B.")], chat.Earlier);
        Assert.Equal(["a.png", "b.png", "c.png"], spec.Images.Select(image => Path.GetFileName(image)));
    }

    [Fact]
    public async Task A_batchs_lines_name_its_endpoint_and_a_model_and_are_chats_of_their_own()
    {
        var source = Batch(
            Line("chat", "\"?\""),
            """{"custom_id":"text","method":"POST","url":"/v1/completions","body":{"model":"m","prompt":"Once"}}""",
            """{"custom_id":"nobody","method":"POST","url":"/v1/chat/completions","body":{"messages":[{"role":"user","content":"?"}]}}""");
        var job = new JobRequest { Model = "/models/m", Source = source with { Endpoint = "/v1/chat/completions" } };
        var texts = new JobRequest { Model = "/models/m", Source = source with { Endpoint = "/v1/completions" } };

        Assert.Equal([null, "url_mismatch", "missing_required_parameter"], (await ReadJobAsync(job)).Select(item => item.Item.Rejection?.Code));
        Assert.Equal("""{"settings":{"temperature":0}}""", (await ReadJobAsync(job))[0].Item.Spec.Chat!.Write());
        Assert.Equal([true, null], (await ReadJobAsync(texts)).Skip(1).Select(item => item.Item.Spec.Chat?.Plain));
    }

    [Fact]
    public async Task Lines_may_ask_the_further_models_that_the_job_names_by_their_last_part()
    {
        var source = Batch(Asking("a", "m"), Asking("b", "other"), Asking("c", "/models/other"), Asking("d", "third"), Asking("e", "best"));

        var items = await ReadJobAsync(new() { Model = "/models/m", Source = source with { Endpoint = "/v1/chat/completions", Models = ["/models/other"], ModelAlias = "best" } });

        Assert.Equal([null, "/models/other", "/models/other", null, null], items.Select(item => item.Item.Spec.Model));
        Assert.Equal([null, null, null, "model_not_found", null], items.Select(item => item.Item.Rejection?.Code));
        Assert.Contains("give one of m, other.", items[3].Item.Rejection!.Message, StringComparison.Ordinal);

        static string Asking(string id, string model) =>
            $$$"""{"custom_id":"{{{id}}}","method":"POST","url":"/v1/chat/completions","body":{"model":"{{{model}}}","messages":[{"role":"user","content":"?"}]}}""";
    }

    [Fact]
    public async Task A_line_of_embeddings_is_its_images_and_says_how_vectors_are_written()
    {
        WriteImages("a.png");
        var inside = JsonSerializer.Serialize($"data:image/png;base64,{Convert.ToBase64String(Picture)}");
        var source = Batch(
            Embedding("one", $$"""{"model":"m","input":"file://{{Root}}/a.png","encoding_format":"base64"}"""),
            Embedding("two", $$$"""{"model":"m","input":[{{{inside}}},{"type":"image_url","image_url":{"url":"a.png"}}]}"""),
            Embedding("text", """{"model":"m","input":"a red circle"}"""),
            Embedding("short", """{"model":"m","input":"file:///a.png","dimensions":8}"""),
            Embedding("none", """{"model":"m","encoding_format":"float"}"""));

        var items = await ReadJobAsync(new() { Model = "/models/m", Source = source with { Endpoint = "/v1/embeddings" } });

        Assert.Equal([null, null, "unsupported_input", "unsupported_parameter", "missing_required_parameter"], items.Select(item => item.Item.Rejection?.Code));
        Assert.Equal((1, VectorEncoding.Base64), (items[0].Item.Spec.Images.Count, items[0].Item.Spec.Chat!.Embedding!.Value));
        Assert.Equal("""{"embedding":"float","settings":{"max_new_tokens":1}}""", items[1].Item.Spec.Chat!.Write());
        Assert.Equal(Picture, await ImageLocation.Parse(items[1].Item.Spec.Images[0]).ReadAsync(default));

        static string Embedding(string id, string body) => $$"""{"custom_id":"{{id}}","method":"POST","url":"/v1/embeddings","body":{{body}}}""";
    }

    [Fact]
    public async Task What_a_line_says_as_its_job_does_or_without_effect_is_accepted()
    {
        var job = Job("""
            {"custom_id":"x","method":"POST","url":"/chat/completions","body":{"model":"m","temperature":0.2,"max_completion_tokens":512,"top_p":1,"n":1,"stream":false,"presence_penalty":0,"seed":null,"user":"u","metadata":{},"messages":[{"role":"user","content":"?"}]}}
            """);

        var item = Assert.Single(await ReadJobAsync(job)).Item;

        Assert.Null(item.Rejection);
    }

    [Theory]
    [InlineData("""{"custom_id":"x","method":"GET","url":"/v1/chat/completions","body":{}}""", "x", "invalid_method")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/responses","body":{}}""", "x", "url_mismatch")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/chat/completions"}""", "x", "missing_required_parameter")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":{"messages":[]}}""", "x", "missing_required_parameter")]
    [InlineData("""{"method":"POST","url":"/v1/chat/completions","body":{}}""", "line-1", "missing_required_parameter")]
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
    [InlineData("""[{"type":"text"}]""", "invalid_value")]
    public async Task A_part_that_cannot_be_asked_fails_its_line(string content, string code) =>
        Assert.Equal(code, Assert.Single(await ReadAsync(Batch(Line("x", content)))).Item.Rejection?.Code);

    private static string Line(string id, string content) =>
        $$$"""{"custom_id":"{{{id}}}","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":{{{content}}}}]}}""";

    private JobRequest Job(string line) => new() { Model = "/models/m", Source = Batch(line), Generation = new() { Temperature = 0.2, StopStrings = ["END"] } };

    private SourceDescription Batch(params string[] lines) => new() { Kind = SourceKind.OpenAiBatch, Path = Write("batch.jsonl", lines) };
}
