using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Llava.Contracts.Interactive;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Keys;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Dashboard.Tests.OpenAi.Chat;

/// <summary>The dashboard with scripted models of its own, and somebody who chats.</summary>
public sealed class ChatServer : IAsyncLifetime
{
    public Server Server { get; } = new();

    internal ScriptedInteractive Models { get; } = new();

    public HttpClient Caller { get; private set; } = null!;

    public ChatServer() => Server.With(services => services.AddSingleton<IInteractiveModels>(Models));

    public async Task InitializeAsync()
    {
        await Server.InitializeAsync();
        Caller = await Server.CallerAsync(AccessRole.Operator);
    }

    public async Task DisposeAsync()
    {
        Caller.Dispose();
        await Server.DisposeAsync();
    }

    public static JsonObject Asking(string question = "What is this?") =>
        new() { ["model"] = "scenes", ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }) };

    /// <summary>A chat with one more field.</summary>
    public static JsonObject With(string field, string json)
    {
        var body = Asking();
        body[field] = JsonNode.Parse(json);
        return body;
    }

    /// <summary>A chat whose messages are these.</summary>
    public static JsonObject Saying(string messages) => With("messages", messages);

    /// <summary>A chat with one part beside its question.</summary>
    public static JsonObject Showing(string part) => Saying($$"""[{"role":"user","content":[{"type":"text","text":"What is this?"},{{part}}]}]""");

    public static JsonObject ShowingUrl(string url) => Showing($$$"""{"type":"image_url","image_url":{"url":{{{JsonSerializer.Serialize(url)}}}}}""");

    public Task<HttpResponseMessage> PostAsync(JsonObject body, string path = "/v1/chat/completions", HttpClient? caller = null) => (caller ?? Caller).PostAsJsonAsync(path, body);

    /// <summary>The answer, which must be a success.</summary>
    public async Task<JsonElement> AnswerAsync(JsonObject body, string path = "/v1/chat/completions")
    {
        using var response = await PostAsync(body, path);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == System.Net.HttpStatusCode.OK, text);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    /// <summary>The refusal, which must be one.</summary>
    public async Task<(int Status, string Code, string? Param, string Message)> RefusalAsync(JsonObject body, string path = "/v1/chat/completions")
    {
        using var response = await PostAsync(body, path);
        Assert.True(response.Headers.Contains("x-request-id"));
        var (status, code, param, message) = await Server.ErrorAsync(response);
        return ((int)status, code, param, message);
    }
}
