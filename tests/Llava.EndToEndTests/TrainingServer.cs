using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Llava.ModelCore.Scenes;

namespace Llava.EndToEndTests;

/// <summary><c>llava up</c> that trains, and that a test may kill and start again on the same data.</summary>
internal sealed partial class TrainingServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-training-");
    private Process? _process;

    public HttpClient Caller { get; private set; } = null!;

    /// <summary>Signs in whoever opens it first.</summary>
    public string Link { get; private set; } = "";

    public string Data => Path.Combine(_folder.FullName, "data");

    /// <summary>Processes that it started and that live.</summary>
    public IReadOnlyList<Process> Children => LlavaProcess.ChildrenOf(_process!.Id);

    /// <summary>Starts it with settings as environment variables.</summary>
    public async Task StartAsync(params IEnumerable<(string Name, string Value)> settings)
    {
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "llava"), ["up", "--port", "0", "--data", Data]) { RedirectStandardOutput = true };
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        Link = Address().Match(await _process.StandardOutput.ReadLineAsync() ?? "").Value;
        Assert.NotEmpty(Link);
        var key = (await LlavaProcess.RunAsync(Data, "keys", "create", "--name", "tests", "--role", "operator")).Lines[0];
        Caller = new() { BaseAddress = new(new Uri(Link).GetLeftPart(UriPartial.Authority)), DefaultRequestHeaders = { Authorization = new("Bearer", key) } };
        await UntilAsync("/v1/models", models => models.GetProperty("data").GetArrayLength() > 0);
    }

    /// <summary>kill -9, of itself alone where its children are to see for themselves.</summary>
    public async Task KillAsync(bool withChildren = true)
    {
        _process!.Kill(withChildren);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
        Caller.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }

        _folder.Delete(recursive: true);
    }

    /// <summary>Sends rows to learn from: drawn scenes, each asked for what it is not.</summary>
    public Task<string> SendScenesAsync(int count, int from = 0) => SendAsync(string.Join('\n', Enumerable.Range(from, count).Select(Row)));

    public async Task<string> SendAsync(string rows)
    {
        using MultipartFormDataContent form = new()
        {
            { new StringContent("fine-tune"), "purpose" },
            { new StringContent(rows) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } }, "file", "rows.jsonl" },
        };
        using var response = await Caller.PostAsync(new Uri("/v1/files", UriKind.Relative), form);
        return (await ReadAsync(response)).GetProperty("id").GetString()!;
    }

    public async Task<string> CreateAsync(object job)
    {
        using var response = await Caller.PostAsJsonAsync("/v1/fine_tuning/jobs", job);
        return (await ReadAsync(response)).GetProperty("id").GetString()!;
    }

    public async Task<JsonElement> GetAsync(string path)
    {
        using var response = await Caller.GetAsync(new Uri(path, UriKind.Relative));
        return await ReadAsync(response);
    }

    public async Task<JsonElement> PostAsync(string path, object? body = null)
    {
        using var response = await Caller.PostAsJsonAsync(path, body ?? new { });
        return await ReadAsync(response);
    }

    /// <summary>Waits until what is at the path is so.</summary>
    public async Task<JsonElement> UntilAsync(string path, Func<JsonElement, bool> isSo)
    {
        using CancellationTokenSource patience = new(Patience);
        while (true)
        {
            var seen = await GetAsync(path);
            if (isSo(seen))
            {
                return seen;
            }

            Assert.False(patience.IsCancellationRequested, $"{path} is still {seen}");
            await Task.Delay(50);
        }
    }

    /// <summary>Waits for a state; a job that is over in another is none to wait for.</summary>
    public Task<JsonElement> UntilAsync(string job, string state, int step = 0) => UntilAsync($"/v1/fine_tuning/jobs/{job}", seen =>
    {
        var now = seen.GetProperty("x_state").GetString()!;
        Assert.True(now == state || now is not ("succeeded" or "failed" or "cancelled"), seen.ToString());
        return now == state && seen.GetProperty("x_progress").GetProperty("step").GetInt32() >= step;
    });

    /// <summary>What happened to a job, the newest first.</summary>
    public async Task<List<string>> EventsAsync(string job) =>
        [.. (await GetAsync($"/v1/fine_tuning/jobs/{job}/events?limit=100")).GetProperty("data").EnumerateArray().Select(one => one.GetProperty("message").GetString()!)];

    /// <summary>Loss of every step, as the result file has it.</summary>
    public async Task<List<string>> ResultLinesAsync(JsonElement job)
    {
        var text = await Caller.GetStringAsync(new Uri($"/v1/files/{job.GetProperty("result_files")[0].GetString()}/content", UriKind.Relative));
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    /// <summary>A row that teaches a word the model never says.</summary>
    public static string Row(int number)
    {
        var picture = Convert.ToBase64String(ScenePixels.Png(Scene.FromSeed(Scene.FirstHeldOutSeed + number, maxObjects: 2), 64));
        return JsonSerializer.Serialize(new
        {
            messages = new object[]
            {
                new { role = "user", content = new object[] { new { type = "text", text = "Describe this image." }, new { type = "image_url", image_url = new { url = "data:image/png;base64," + picture } } } },
                new { role = "assistant", content = "red red red" },
            },
        });
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    [GeneratedRegex(@"http://\S+")]
    private static partial Regex Address();
}
