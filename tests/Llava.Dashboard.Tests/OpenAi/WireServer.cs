using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Keys;
using static Llava.Testing.RelativeUri;

namespace Llava.Dashboard.Tests.OpenAi;

/// <summary>The dashboard, and a program that speaks to <c>/v1</c> without any library.</summary>
public sealed class WireServer : IAsyncLifetime
{
    public Server Server { get; } = new();

    public HttpClient Caller { get; private set; } = null!;

    public WireServer() => Server.With("Llava:Files:MaxFileBytes", "100000").With("Llava:Files:MaxPartBytes", "2000").With("Llava:Files:MaxUploadBytes", "200000");

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

    /// <summary>Sends a file, which must be taken.</summary>
    public async Task<JsonElement> SendAsync(string text, string purpose = "batch", string name = "lines.jsonl", HttpClient? caller = null)
    {
        using var form = Form(text, purpose, name);
        return await AnswerAsync((caller ?? Caller).PostAsync(At("/v1/files"), form));
    }

    /// <summary>A form that brings a file.</summary>
    public static MultipartFormDataContent Form(string text, string? purpose, string name = "lines.jsonl", params (string Name, string Value)[] more)
    {
        MultipartFormDataContent form = [];
        if (purpose is not null)
        {
            form.Add(new StringContent(purpose), "purpose");
        }

        foreach (var (field, value) in more)
        {
            form.Add(new StringContent(value), field);
        }

        form.Add(new ByteArrayContent(Encoding.UTF8.GetBytes(text)), "file", name);
        return form;
    }

    public Task<HttpResponseMessage> PostAsync(string path, object body) => Caller.PostAsJsonAsync(path, body);

    /// <summary>A success, which always has status 200 and an id (R1, R4).</summary>
    public static async Task<JsonElement> AnswerAsync(Task<HttpResponseMessage> asked)
    {
        using var response = await asked;
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        Assert.StartsWith("req_", Assert.Single(response.Headers.GetValues("x-request-id")), StringComparison.Ordinal);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    /// <summary>A refusal, which always has all four words and an id, and never status 409 (R2, R3, R4).</summary>
    public static async Task<(int Status, string? Code, string? Param)> RefusalAsync(Task<HttpResponseMessage> asked)
    {
        using var response = await asked;
        var error = (await Server.JsonAsync(response)).GetProperty("error");
        Assert.Equal(["code", "message", "param", "type"], error.EnumerateObject().Select(field => field.Name).Order());
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
        Assert.NotEmpty(error.GetProperty("type").GetString()!);
        Assert.StartsWith("req_", Assert.Single(response.Headers.GetValues("x-request-id")), StringComparison.Ordinal);
        Assert.NotEqual(HttpStatusCode.Conflict, response.StatusCode);
        return ((int)response.StatusCode, error.GetProperty("code").GetString(), error.GetProperty("param").GetString());
    }

    /// <summary>A page, which always has all five fields (R6).</summary>
    public async Task<(List<string> Ids, bool HasMore)> PageAsync(string path)
    {
        var page = await AnswerAsync(Caller.GetAsync(At(path)));
        var ids = page.GetProperty("data").EnumerateArray().Select(one => one.GetProperty("id").GetString()!).ToList();
        Assert.Equal("list", page.GetProperty("object").GetString());
        Assert.Equal((ids.FirstOrDefault(), ids.LastOrDefault()), (page.GetProperty("first_id").GetString(), page.GetProperty("last_id").GetString()));
        return (ids, page.GetProperty("has_more").GetBoolean());
    }

    /// <summary>A caller with headers that libraries send.</summary>
    public HttpClient Decorated()
    {
        HttpClient http = new() { BaseAddress = Server.Address };
        http.DefaultRequestHeaders.Authorization = Caller.DefaultRequestHeaders.Authorization;
        http.DefaultRequestHeaders.Add("OpenAI-Organization", "org");
        http.DefaultRequestHeaders.Add("OpenAI-Project", "proj");
        http.DefaultRequestHeaders.Add("X-Stainless-Lang", "js");
        http.DefaultRequestHeaders.Add("Idempotency-Key", Guid.NewGuid().ToString());
        http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/binary"));
        return http;
    }
}
