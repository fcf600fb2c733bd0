using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Llava.GpuConsumer.Runners;
using Xunit.Abstractions;
using static Llava.Testing.RelativeUri;

namespace Llava.EndToEndTests;

/// <summary>
/// A long batch with images inside its lines goes through upload, validation, expansion, answers and output in memory that does not grow with
/// it. The model is the one that does nothing: a real one takes what it takes, however long the batch. LLAVA_BATCH_LINES sets the length.
/// </summary>
public sealed partial class LargeBatchTests(ITestOutputHelper output) : IDisposable
{
    private const int UsualLines = 3000;
    private const int ImageBytes = 24 * 1024;
    private const int MostGrowthMegabytes = 300;

    private static readonly int Lines = int.Parse(Environment.GetEnvironmentVariable("LLAVA_BATCH_LINES") ?? UsualLines.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-large-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("openai", """{"custom_id":"request-N","method":"POST","url":"/v1/chat/completions","body":{"model":"null","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"question N"},{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,IMAGE","detail":"low"}}]}],"max_tokens":64}}""")]
    [InlineData("vllm", """{"custom_id": "request-N", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "null", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,IMAGE"}}, {"type": "text", "text": "question N"}]}], "max_completion_tokens": 64, "temperature": 0.2, "top_k": 40, "min_p": 0.05, "repetition_penalty": 1.1, "stop_token_ids": [2]}}""")]
    public async Task A_long_batch_takes_no_more_memory_than_a_short_one(string style, string line)
    {
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "llava"), ["serve", "scheduler", "consumer", "dashboard", "--model", NullItemRunner.ModelName]) { RedirectStandardOutput = true };
        start.Environment["LLAVA_DATA"] = _folder.FullName;
        start.Environment["Llava__Http__Port"] = "0";
        start.Environment["Llava__Scheduler__Poll"] = "00:00:00.2";
        using var process = Process.Start(start)!;
        try
        {
            using HttpClient http = new() { BaseAddress = new(await AddressAsync(process)), Timeout = Timeout.InfiniteTimeSpan };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await LlavaProcess.RunAsync(_folder.FullName, "keys", "create", "--name", "tests", "--role", "operator")).Lines[0]);
            await RunAsync(http, line, UsualLines / 6);
            var before = PeakMegabytes(process);
            var clock = Stopwatch.StartNew();
            var (bytes, answers) = await RunAsync(http, line, Lines);
            var after = PeakMegabytes(process);

            output.WriteLine(FormattableString.Invariant($"{style}: {Lines} lines, {bytes >> 20} MiB in {clock.Elapsed.TotalSeconds:0.0} s; peak {before} MiB after {UsualLines / 6} lines, {after} MiB after all"));
            Assert.Equal(Lines, answers);
            Assert.InRange(after - before, 0, MostGrowthMegabytes);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }
    }

    /// <summary>Sends the lines, waits for the batch and counts its answers, each of which must be its line's.</summary>
    private static async Task<(long Bytes, int Answers)> RunAsync(HttpClient http, string line, int lines)
    {
        using RepeatedLine content = new(line, lines);
        using MultipartFormDataContent form = new() { { new StringContent("batch"), "purpose" }, { content, "file", "lines.jsonl" } };
        var file = await JsonAsync(await http.PostAsync(At("/v1/files"), form));
        var batch = await JsonAsync(await http.PostAsJsonAsync("/v1/batches", new { input_file_id = file.GetProperty("id").GetString(), endpoint = "/v1/chat/completions", completion_window = "none" }));
        while (batch.GetProperty("status").GetString() is not "completed")
        {
            Assert.True(batch.GetProperty("status").GetString() is "validating" or "in_progress" or "finalizing", batch.GetRawText());
            await Task.Delay(200);
            batch = await JsonAsync(await http.GetAsync(At($"/v1/batches/{batch.GetProperty("id").GetString()}")));
        }

        Assert.Equal(JsonValueKind.Null, batch.GetProperty("error_file_id").ValueKind);
        using StreamReader reader = new(await http.GetStreamAsync(At($"/v1/files/{batch.GetProperty("output_file_id").GetString()}/content")));
        var answers = 0;
        while (await reader.ReadLineAsync() is { } answer)
        {
            Assert.Contains($"\"custom_id\":\"request-{answers}\"", answer, StringComparison.Ordinal);
            Assert.Contains($"\"content\":\"question {answers}\"", answer, StringComparison.Ordinal);
            answers++;
        }

        return (file.GetProperty("bytes").GetInt64(), answers);
    }

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage response)
    {
        using (response)
        {
            var text = await response.Content.ReadAsStringAsync();
            Assert.True(response.StatusCode == HttpStatusCode.OK, text);
            return JsonSerializer.Deserialize<JsonElement>(text);
        }
    }

    /// <summary>The most memory that the process ever held.</summary>
    private static long PeakMegabytes(Process process) =>
        long.Parse(Peak().Match(File.ReadAllText($"/proc/{process.Id}/status")).Groups["kilobytes"].Value, CultureInfo.InvariantCulture) >> 10;

    private static async Task<string> AddressAsync(Process process)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } said)
        {
            if (Listening().Match(said) is { Success: true } address)
            {
                // What it says later must not fill the pipe.
                _ = process.StandardOutput.ReadToEndAsync();
                return address.Groups["url"].Value;
            }
        }

        throw new InvalidOperationException("The server ended without listening.");
    }

    [GeneratedRegex(@"VmHWM:\s+(?<kilobytes>\d+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Peak();

    [GeneratedRegex(@"Listening on (?<url>http://[^\s,""]+?)\.?(\s|,|$|"")", RegexOptions.ExplicitCapture)]
    private static partial Regex Listening();

    /// <summary>A file of lines that is made as it is sent.</summary>
    private sealed class RepeatedLine(string line, int lines) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var image = new byte[ImageBytes];
            for (var number = 0; number < lines; number++)
            {
                new Random(number).NextBytes(image);
                var text = line.Replace("N\"", number.ToString(CultureInfo.InvariantCulture) + "\"", StringComparison.Ordinal).Replace("IMAGE", Convert.ToBase64String(image), StringComparison.Ordinal);
                await stream.WriteAsync(Encoding.UTF8.GetBytes(text + "\n"));
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
