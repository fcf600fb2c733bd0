using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using static Llava.Testing.RelativeUri;

namespace Llava.ComposeTests;

/// <summary>A program that speaks to the dashboard's <c>/v1</c>.</summary>
internal sealed class ApiCaller : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly HttpClient _http;

    public ApiCaller(Uri dashboard, string secret)
    {
        _http = new() { BaseAddress = dashboard };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
    }

    /// <summary>Sends a file of lines.</summary>
    /// <returns>Its id.</returns>
    public async Task<string> SendAsync(IEnumerable<string> lines, string purpose)
    {
        using MultipartFormDataContent form = new() { { new StringContent(purpose), "purpose" } };
        using ByteArrayContent file = new(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
        form.Add(file, "file", "lines.jsonl");
        return IdOf(await AnswerAsync(_http.PostAsync(At("/v1/files"), form)));
    }

    /// <summary>Asks for something to be made.</summary>
    /// <returns>Its id.</returns>
    public async Task<string> CreateAsync(string path, object body) => IdOf(await AnswerAsync(_http.PostAsJsonAsync(path, body)));

    /// <summary>The lines of a file.</summary>
    public async Task<string[]> ReadAsync(string file) => (await _http.GetStringAsync(At($"/v1/files/{file}/content"))).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Names of all models that are served.</summary>
    public async Task<IReadOnlyList<string>> ModelsAsync() =>
        [.. (await AnswerAsync(_http.GetAsync(At("/v1/models")))).GetProperty("data").EnumerateArray().Select(IdOf)];

    /// <summary>What was asked for, once it is over with this status.</summary>
    public async Task<JsonElement> UntilAsync(string path, string status)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            var found = await AnswerAsync(_http.GetAsync(At(path)));
            var now = found.GetProperty("status").GetString();
            if (now == status)
            {
                return found;
            }

            Assert.True(now is not ("failed" or "cancelled" or "expired") && waited.Elapsed < Patience, found.GetRawText());
            await Task.Delay(200);
        }
    }

    public void Dispose() => _http.Dispose();

    private static async Task<JsonElement> AnswerAsync(Task<HttpResponseMessage> asked)
    {
        using var response = await asked;
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    private static string IdOf(JsonElement made) => made.GetProperty("id").GetString()!;
}
