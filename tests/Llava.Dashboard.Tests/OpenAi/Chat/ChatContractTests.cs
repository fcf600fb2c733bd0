using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Llava.Contracts.Interactive;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Keys;

namespace Llava.Dashboard.Tests.OpenAi.Chat;

/// <summary>The wire format of chats, as the strictest of OpenAI's libraries reads it.</summary>
public sealed class ChatContractTests(ChatServer chat) : IClassFixture<ChatServer>
{
    [Fact]
    public async Task An_answer_has_every_key_that_libraries_read()
    {
        chat.Models.Events = new ScriptedInteractive().Events;
        using var response = await chat.PostAsync(ChatServer.Asking());
        var answer = await Server.JsonAsync(response);
        var choice = answer.GetProperty("choices")[0];

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.StartsWith("req_", Assert.Single(response.Headers.GetValues("x-request-id")), StringComparison.Ordinal);
        Assert.StartsWith("chatcmpl-", answer.GetProperty("id").GetString(), StringComparison.Ordinal);
        Assert.Equal(("chat.completion", "scenes", "fp_r1", "default"), (
            answer.GetProperty("object").GetString(), answer.GetProperty("model").GetString(), answer.GetProperty("system_fingerprint").GetString(), answer.GetProperty("service_tier").GetString()));
        Assert.True(answer.GetProperty("created").GetInt64() > 1_700_000_000);
        Assert.Equal("""{"content":"A circle — blau.","role":"assistant","refusal":null}""", choice.GetProperty("message").GetRawText().Replace("\\u2014", "—", StringComparison.Ordinal));
        Assert.Equal((0, JsonValueKind.Null, "stop"), (choice.GetProperty("index").GetInt32(), choice.GetProperty("logprobs").ValueKind, choice.GetProperty("finish_reason").GetString()));
        Assert.Equal(
            """{"audio_tokens":0,"cached_tokens":40,"image_tokens":64,"text_tokens":41}""",
            Sorted(answer.GetProperty("usage").GetProperty("prompt_tokens_details")));
        Assert.Equal(
            """{"accepted_prediction_tokens":0,"audio_tokens":0,"reasoning_tokens":0,"rejected_prediction_tokens":0}""",
            Sorted(answer.GetProperty("usage").GetProperty("completion_tokens_details")));
        Assert.Equal([105, 17, 122], new[] { "prompt_tokens", "completion_tokens", "total_tokens" }.Select(name => answer.GetProperty("usage").GetProperty(name).GetInt32()));
    }

    [Fact]
    public async Task Several_answers_keep_their_words_apart_and_their_tokens_with_them()
    {
        ChatToken token = new([0xC3], -0.5, [new([0xC3], -0.5), new([65], -1)]);
        chat.Models.Events =
        [
            new ChatStarted("r1"), new ChatText(1, "two", [token]), new ChatText(0, "one", [token with { Bytes = [65] }]), new ChatText(1, " more", [token]),
            new ChatAnswered(1, "length"), new ChatAnswered(0, "stop"), new ChatEnded(new(1, 0, 0, 3)),
        ];
        var body = ChatServer.With("n", "2");
        (body["logprobs"], body["top_logprobs"]) = (true, 2);
        var choices = (await chat.AnswerAsync(body)).GetProperty("choices").EnumerateArray().ToList();

        Assert.Equal([(0, "one", "stop"), (1, "two more", "length")], choices.Select(one =>
            (one.GetProperty("index").GetInt32(), one.GetProperty("message").GetProperty("content").GetString(), one.GetProperty("finish_reason").GetString())));
        Assert.Equal([1, 2], choices.Select(one => one.GetProperty("logprobs").GetProperty("content").GetArrayLength()));
        var entry = choices[1].GetProperty("logprobs").GetProperty("content")[0];
        // A byte that is no character by itself is shown as one that is missing.
        Assert.Equal(("\uFFFD", -0.5, "[195]", 2), (
            entry.GetProperty("token").GetString(), entry.GetProperty("logprob").GetDouble(), entry.GetProperty("bytes").GetRawText(), entry.GetProperty("top_logprobs").GetArrayLength()));
        Assert.Equal((2, 2, true), (chat.Models.Asked.Settings.Choices, chat.Models.Asked.Settings.TopLogProbabilities, chat.Models.Asked.Settings.LogProbabilities));
    }

    [Theory]
    [InlineData(InteractiveFailure.Refused, 400, "invalid_request_error")]
    [InlineData(InteractiveFailure.ModelNotFound, 404, "invalid_request_error")]
    [InlineData(InteractiveFailure.Busy, 429, "requests")]
    [InlineData(InteractiveFailure.Unavailable, 503, "server_error")]
    [InlineData(InteractiveFailure.Broken, 500, "server_error")]
    public async Task A_chat_that_is_not_taken_is_answered_with_the_status_of_its_cause(InteractiveFailure kind, int status, string type)
    {
        foreach (var stream in new[] { false, true })
        {
            // The models of this process are asked first; whoever is not found here is looked for elsewhere, and is not there either.
            chat.Models.Events = [new ChatFailed(new(kind, kind == InteractiveFailure.ModelNotFound ? "model_not_found" : "a_cause", "Why.", "model", 7))];
            using var response = await chat.PostAsync(ChatServer.With("stream", stream ? "true" : "false"));
            var error = (await Server.JsonAsync(response)).GetProperty("error");

            Assert.Equal((status, type, "model"), ((int)response.StatusCode, error.GetProperty("type").GetString(), error.GetProperty("param").GetString()));
            Assert.Equal(kind is not InteractiveFailure.ModelNotFound, response.Headers.RetryAfter?.Delta == TimeSpan.FromSeconds(7));
            Assert.Equal(kind is not InteractiveFailure.ModelNotFound, response.Headers.TryGetValues("retry-after-ms", out var ms) && ms.Single() == "7000");
        }
    }

    [Theory]
    [InlineData("tools", """[{"type":"function","function":{"name":"f"}}]""")]
    [InlineData("tool_choice", "\"required\"")]
    [InlineData("functions", """[{"name":"f"}]""")]
    [InlineData("function_call", """{"name":"f"}""")]
    [InlineData("audio", """{"voice":"alloy"}""")]
    [InlineData("modalities", """["text","audio"]""")]
    [InlineData("prediction", """{"type":"content"}""")]
    [InlineData("web_search_options", "{}")]
    [InlineData("guided_grammar", "\"a\"")]
    [InlineData("priority", "3")]
    [InlineData("mm_processor_kwargs", """{"a":1}""")]
    [InlineData("add_generation_prompt", "false")]
    [InlineData("continue_final_message", "true")]
    [InlineData("chat_template", "\"a\"")]
    [InlineData("chat_template_kwargs", """{"a":1}""")]
    [InlineData("best_of", "2")]
    [InlineData("echo", "true")]
    [InlineData("suffix", "\"a\"")]
    public async Task What_no_model_does_is_refused_by_name(string field, string value) =>
        Assert.Equal((400, "unsupported_parameter", field), Words(await chat.RefusalAsync(ChatServer.With(field, value))));

    [Theory]
    [InlineData("temperature", "2.1")]
    [InlineData("temperature", "-0.1")]
    [InlineData("top_p", "0")]
    [InlineData("top_p", "1.5")]
    [InlineData("top_k", "-2")]
    [InlineData("min_p", "1.1")]
    [InlineData("repetition_penalty", "0")]
    [InlineData("presence_penalty", "2.5")]
    [InlineData("frequency_penalty", "-3")]
    [InlineData("n", "0")]
    [InlineData("n", "129")]
    [InlineData("max_tokens", "0")]
    [InlineData("max_completion_tokens", "40000")]
    [InlineData("min_tokens", "-1")]
    [InlineData("stop", """["1","2","3","4","5"]""")]
    [InlineData("stop", "\"\"")]
    [InlineData("stop", "7")]
    [InlineData("logit_bias", """{"7":101}""")]
    [InlineData("logit_bias", """{"seven":1}""")]
    [InlineData("logprobs", "3")]
    [InlineData("top_logprobs", "3")]
    [InlineData("stream_options", """{"include_usage":true}""")]
    public async Task What_is_out_of_range_is_refused_by_name(string field, string value) =>
        Assert.Equal((400, "invalid_value", field), Words(await chat.RefusalAsync(ChatServer.With(field, value))));

    [Theory]
    [InlineData("temperature", "\"hot\"", "invalid_type")]
    [InlineData("n", "1.5", "invalid_type")]
    [InlineData("model", "null", "missing_required_parameter")]
    [InlineData("messages", "[]", "missing_required_parameter")]
    [InlineData("messages", "null", "missing_required_parameter")]
    public async Task What_is_of_the_wrong_kind_or_missing_is_refused_by_name(string field, string value, string code) =>
        Assert.Equal((400, code, field), Words(await chat.RefusalAsync(ChatServer.With(field, value))));

    [Fact]
    public async Task What_is_asked_for_reaches_the_model()
    {
        chat.Models.Events = new ScriptedInteractive().Events;
        await chat.AnswerAsync(JsonNode.Parse("""
            {"model":"scenes","max_tokens":9,"max_completion_tokens":7,"min_tokens":2,"temperature":0.5,"top_p":0.9,"top_k":-1,"min_p":0.1,"repetition_penalty":1.1,
             "presence_penalty":0.5,"frequency_penalty":-0.5,"logit_bias":{"7":-100},"seed":-3,"stop":["a","b"],"stop_token_ids":[5],"ignore_eos":true,
             "messages":[{"role":"system","content":"Be short."},{"role":"developer","content":[{"type":"text","text":"Be kind."}]},
                         {"role":"user","content":"Hi"},{"role":"assistant","content":null},{"role":"user","content":[{"type":"text","text":"one"},{"type":"input_text","text":"two"}]}]}
            """)!.AsObject());
        var (asked, settings) = (chat.Models.Asked, chat.Models.Asked.Settings);

        Assert.StartsWith("req_", asked.RequestId, StringComparison.Ordinal);
        Assert.Equal("Be short.\n\nBe kind.", asked.System);
        Assert.Equal([(ChatSpeaker.User, "Hi"), (ChatSpeaker.Assistant, ""), (ChatSpeaker.User, "one\ntwo")], asked.Turns.Select(turn => (turn.Speaker, turn.Text)));
        Assert.Equal((7, 2, 0.5, 0.9, 0, 0.1, 1.1), (settings.MaxNewTokens, settings.MinNewTokens, settings.Temperature, settings.TopP, settings.TopK, settings.MinP, settings.RepetitionPenalty));
        Assert.Equal((0.5, -0.5, -3L, true), (settings.PresencePenalty, settings.FrequencyPenalty, settings.Seed!.Value, settings.IgnoresEnd));
        Assert.Equal(["a", "b"], settings.StopStrings);
        Assert.Equal([5], settings.StopTokens);
        Assert.Equal(-100, settings.LogitBias[7]);
    }

    [Fact]
    public async Task What_says_nothing_or_is_not_known_is_passed_over()
    {
        chat.Models.Events = new ScriptedInteractive().Events;
        await chat.AnswerAsync(JsonNode.Parse("""
            {"model":"scenes","messages":[{"role":"user","name":"me","content":"Hi"}],"temperature":null,"tools":[],"tool_choice":"none","modalities":["text"],"response_format":{"type":"text"},
             "priority":0,"stream":false,"stop":null,"metadata":{"a":"b"},"user":"u","store":true,"service_tier":"flex","verbosity":"low","something_new":{"a":[1]},"best_of":1,"echo":false}
            """)!.AsObject());

        Assert.Equal((1, 512), (chat.Models.Asked.Settings.Temperature, chat.Models.Asked.Settings.MaxNewTokens));
    }

    [Fact]
    public async Task Only_who_may_start_work_may_chat()
    {
        using var viewer = await chat.Server.CallerAsync(AccessRole.Viewer);
        using var stranger = chat.Server.Stranger();
        foreach (var path in new[] { "/v1/chat/completions", "/v1/completions", "/v1/embeddings" })
        {
            using var refused = await chat.PostAsync(ChatServer.Asking(), path, viewer);
            using var unknown = await chat.PostAsync(ChatServer.Asking(), path, stranger);
            Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Unauthorized), (refused.StatusCode, unknown.StatusCode));
        }
    }

    private static (int, string, string?) Words((int Status, string Code, string? Param, string Message) refusal)
    {
        Assert.NotEmpty(refusal.Message);
        return (refusal.Status, refusal.Code, refusal.Param);
    }

    private static string Sorted(JsonElement fields) => JsonSerializer.Serialize(fields.EnumerateObject().OrderBy(field => field.Name, StringComparer.Ordinal).ToDictionary(field => field.Name, field => field.Value.GetInt32()));
}
