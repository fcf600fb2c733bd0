using System.Text.Json;
using System.Text.Json.Nodes;
using Llava.Contracts.Interactive;

namespace Llava.Dashboard.Tests.OpenAi.Chat;

/// <summary>What answers have to look like, in OpenAI's words and in vLLM's.</summary>
public sealed class StructuredOutputTests(ChatServer chat) : IClassFixture<ChatServer>
{
    private const string Schema = """{"type":"object","properties":{"a":{"type":"integer"}}}""";

    [Theory]
    [InlineData("response_format", """{"type":"json_schema","json_schema":{"name":"x","strict":true,"schema":{"type":"object","properties":{"a":{"type":"integer"}}}}}""")]
    [InlineData("guided_json", Schema)]
    [InlineData("guided_json", "\"{\\\"type\\\":\\\"object\\\",\\\"properties\\\":{\\\"a\\\":{\\\"type\\\":\\\"integer\\\"}}}\"")]
    [InlineData("structured_outputs", """{"json":{"type":"object","properties":{"a":{"type":"integer"}}},"regex":null}""")]
    public async Task A_schema_reaches_the_model(string field, string value)
    {
        await AnswerAsync(field, value);
        Assert.Equal(Schema, chat.Models.Asked.Settings.JsonSchema!.Value.GetRawText());
    }

    [Theory]
    [InlineData("guided_regex", "\"a+\"")]
    [InlineData("structured_outputs", """{"regex":"a+"}""")]
    public async Task An_expression_reaches_the_model(string field, string value)
    {
        await AnswerAsync(field, value);
        Assert.Equal("a+", chat.Models.Asked.Settings.Regex);
    }

    [Theory]
    [InlineData("response_format", """{"type":"json_object"}""")]
    [InlineData("structured_outputs", """{"json_object":true}""")]
    public async Task Any_object_reaches_the_model(string field, string value)
    {
        await AnswerAsync(field, value);
        Assert.True(chat.Models.Asked.Settings.JsonObject);
    }

    [Theory]
    [InlineData("guided_choice", """["yes","no"]""")]
    [InlineData("structured_outputs", """{"choice":["yes","no"]}""")]
    public async Task Choices_come_back_with_their_scores(string field, string value)
    {
        ChatAlternative[] scores = [new("yes", -0.1, 0.9), new("no", -2.3, 0.1)];
        chat.Models.Events = [new ChatStarted("r1"), new ChatText(0, "yes"), new ChatAnswered(0, "stop", scores), new ChatEnded(new(1, 0, 0, 1))];
        var choice = (await chat.AnswerAsync(ChatServer.With(field, value))).GetProperty("choices")[0];
        var streamed = ChatServer.With(field, value);
        streamed["stream"] = true;
        using var response = await chat.PostAsync(streamed);

        Assert.Equal(["yes", "no"], chat.Models.Asked.Settings.Alternatives!);
        Assert.Equal("""[{"text":"yes","logprob":-0.1,"probability":0.9},{"text":"no","logprob":-2.3,"probability":0.1}]""", choice.GetProperty("x_choices").GetRawText());
        Assert.Contains("\"x_choices\":[{\"text\":\"yes\"", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_without_choices_says_nothing_of_them()
    {
        chat.Models.Events = new ScriptedInteractive().Events;
        Assert.False((await chat.AnswerAsync(ChatServer.Asking())).GetProperty("choices")[0].TryGetProperty("x_choices", out _));
        Assert.Equal((null, null, false, null), (chat.Models.Asked.Settings.Regex, chat.Models.Asked.Settings.JsonSchema, chat.Models.Asked.Settings.JsonObject, chat.Models.Asked.Settings.Alternatives));
    }

    [Theory]
    [InlineData("response_format", """{"type":"xml"}""", "invalid_value", "response_format.type")]
    [InlineData("response_format", """{"type":"json_schema"}""", "missing_required_parameter", "response_format.json_schema.schema")]
    [InlineData("guided_json", "\"{\"", "invalid_json_schema", "guided_json")]
    [InlineData("guided_regex", "\"\"", "invalid_value", "guided_regex")]
    [InlineData("guided_regex", "3", "invalid_value", "guided_regex")]
    [InlineData("guided_choice", "[]", "invalid_value", "guided_choice")]
    [InlineData("guided_choice", """["a","a"]""", "invalid_value", "guided_choice")]
    [InlineData("guided_choice", """["a",1]""", "invalid_value", "guided_choice")]
    [InlineData("structured_outputs", "3", "invalid_value", "structured_outputs")]
    [InlineData("structured_outputs", """{"regex":"a","choice":["a"]}""", "invalid_value", "structured_outputs")]
    [InlineData("structured_outputs", """{"grammar":"root ::= a"}""", "unsupported_parameter", "structured_outputs.grammar")]
    public async Task What_is_wrong_is_refused_by_its_field(string field, string value, string code, string param) =>
        Assert.Equal((400, code, param), Words(await chat.RefusalAsync(ChatServer.With(field, value))));

    [Fact]
    public async Task One_form_is_enough_and_a_stop_string_does_not_go_with_it()
    {
        var twice = ChatServer.With("guided_regex", "\"a\"");
        twice["guided_json"] = JsonNode.Parse("{}");
        var stopped = ChatServer.With("guided_regex", "\"a\"");
        stopped["stop"] = "b";

        Assert.Equal((400, "invalid_value", "guided_regex"), Words(await chat.RefusalAsync(twice)));
        Assert.Equal((400, "invalid_value", "stop"), Words(await chat.RefusalAsync(stopped)));
    }

    private static (int, string, string?) Words((int Status, string Code, string? Param, string Message) refusal) => (refusal.Status, refusal.Code, refusal.Param);

    private async Task AnswerAsync(string field, string value)
    {
        chat.Models.Events = new ScriptedInteractive().Events;
        await chat.AnswerAsync(ChatServer.With(field, value));
    }
}
