using System.Text.Json;

namespace Llava.EndToEndTests;

/// <summary>The command line against a server, as a user types it.</summary>
public sealed class ServerTests(LlavaServer server) : IClassFixture<LlavaServer>
{
    private static readonly string[] Short = ["--max-new-tokens", "48"];

    [Fact]
    public async Task A_job_is_submitted_followed_and_read_in_every_format_as_from_the_ledger()
    {
        var submitted = await server.AskAsync(["submit", server.Images, "--follow", "--json", .. Short]);
        Assert.True(submitted.ExitCode == 0, submitted.Errors);
        var job = Text(submitted.Lines[0], "id");

        Assert.Equal("completed", Text(submitted.Lines[0], "state"));
        Assert.Equal((await server.LookAsync("status", job, "--json")).Output, (await server.AskAsync("status", job, "--json")).Output);
        Assert.Contains(job, (await server.AskAsync("status")).Output, StringComparison.Ordinal);
        foreach (var format in (string[])["jsonl", "csv", "coco", "answers", "openai", "openai-errors", "webdataset"])
        {
            var near = await server.LookAsync("results", job, "--format", format);
            var far = await server.AskAsync("results", job, "--format", format);
            Assert.True(far.ExitCode == 0 && near.ExitCode == 0, far.Errors);
            Assert.True(near.Output == far.Output, $"{format} differs.");
        }

        Assert.Equal(await BytesAsync(server.LookAsync, job, "near.parquet"), await BytesAsync(server.AskAsync, job, "far.parquet"));
        await server.LookAsync("results", job, "--out", server.In("near"));
        await server.AskAsync("results", job, "--out", server.In("far"));
        Assert.Equal(Texts("near"), Texts("far"));
        Assert.Equal(6, Texts("far").Count());
    }

    [Fact]
    public async Task A_damaged_image_that_was_repaired_is_answered_by_a_retry()
    {
        var folder = Path.Combine(server.Images, "damaged");
        Directory.CreateDirectory(folder);
        File.Copy(Path.Combine(server.Images, "scene-0000.png"), Path.Combine(folder, "good.png"));
        await File.WriteAllTextAsync(Path.Combine(folder, "bad.png"), "this is no image");
        var first = await server.AskAsync(["submit", folder, "--follow", .. Short]);
        Assert.True(first.ExitCode == 1, first.Errors);
        var job = first.Lines[0];
        var answer = (await server.AskAsync("results", job)).Lines[1];
        File.Copy(Path.Combine(server.Images, "scene-0001.png"), Path.Combine(folder, "bad.png"), overwrite: true);

        Assert.Contains("has no such item", (await server.AskAsync("retry", job, "--code", "prompt_too_long")).Output, StringComparison.Ordinal);
        var retried = await server.AskAsync("retry", job, "--code", "image_format_unsupported", "--json");
        Assert.True(retried.ExitCode == 0, retried.Errors);
        await WaitAsync(job, "completed");

        using var json = JsonDocument.Parse(retried.Output);
        Assert.Equal(1, json.RootElement.GetProperty("retried_items").GetInt32());
        var results = (await server.AskAsync("results", job)).Lines;
        Assert.Equal("succeeded", Text(results[0], "outcome"));
        Assert.Equal(answer, results[1]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_is_paused_resumed_and_cancelled_with_the_same_words_near_and_far(bool isFar)
    {
        Func<string[], Task<LlavaRun>> run = isFar ? server.AskAsync : server.LookAsync;
        // The folder's second use: an own prompt makes it another job.
        var submitted = await run(["submit", server.Images, "--prompt", $"Nobody answers {isFar}.", "--priority", "-5", "--model", isFar ? "nobody" : Llava.Testing.Repository.Path("samples")]);
        Assert.True(submitted.ExitCode == 0, submitted.Errors);
        var job = submitted.Lines[0];
        await WaitAsync(job, "queued");

        Assert.Equal($"{job} is paused.", Assert.Single((await run(["pause", job])).Lines));
        Assert.Equal("queued", Text(Assert.Single((await run(["resume", job, "--json"])).Lines), "state"));
        Assert.Equal(0, (await run(["cancel", job])).ExitCode);
        await WaitAsync(job, "cancelled");
        var refused = await run(["pause", job]);
        Assert.True(refused.ExitCode == 3 && refused.Errors.Contains("is cancelled and cannot become paused", StringComparison.Ordinal), refused.Errors);
    }

    [Fact]
    public async Task An_open_job_takes_sources_near_and_far_and_completes_once_it_is_closed_with_results_in_order()
    {
        var submitted = await server.AskAsync(["submit", Path.Combine(server.Images, "scene-0002.png"), "--open", .. Short]);
        Assert.True(submitted.ExitCode == 0, submitted.Errors);
        var job = submitted.Lines[0];
        string[] near = ["append", job, Path.Combine(server.Images, "scene-0001.png"), "--key", "near"];
        Assert.Equal($"'{near[2]}' is part 1 of {job}.", Assert.Single((await server.LookAsync(near)).Lines));
        Assert.Contains($"Part 1 of {job} was added before.", (await server.LookAsync(near)).Errors, StringComparison.Ordinal);
        await WaitForAnswersAsync(job, 2);
        var far = await server.AskAsync("append", job, Path.Combine(server.Images, "scene-0000*.png"), "--json");
        Assert.True(far.ExitCode == 0 && far.Output.Contains("\"open\":true", StringComparison.Ordinal), far.Errors + far.Output);
        await WaitForAnswersAsync(job, 3);
        var open = await server.AskAsync("status", job, "--json");
        Assert.NotEqual("completed", Text(open.Output, "state"));

        Assert.StartsWith($"{job} is closed; it is ", Assert.Single((await server.AskAsync("close", job)).Lines), StringComparison.Ordinal);
        Assert.Equal(0, (await server.LookAsync("close", job)).ExitCode);
        await WaitAsync(job, "completed");

        var results = (await server.AskAsync("results", job)).Lines;
        Assert.Equal(["scene-0002.png", "scene-0001.png", "scene-0000.png"], results.Select(line => Text(line, "custom_id")));
        Assert.All(results, line => Assert.Equal("succeeded", Text(line, "outcome")));
        Assert.Equal((await server.LookAsync("status", job, "--json")).Output, (await server.AskAsync("status", job, "--json")).Output);
        Assert.Contains("is done: 1 items", (await server.AskAsync("status", job)).Output, StringComparison.Ordinal);
        var late = await server.AskAsync("append", job, Path.Combine(server.Images, "scene-0003.png"));
        Assert.True(late.ExitCode == 3 && late.Errors.Contains("is completed and not open", StringComparison.Ordinal), late.Errors);
    }

    [Fact]
    public async Task What_is_handed_in_by_the_ledger_is_worked_on_and_the_same_command_finds_it_again()
    {
        string[] command = ["submit", Path.Combine(server.Images, "scene-000*.png"), .. Short];
        var first = await server.LookAsync(command);
        var again = await server.LookAsync(command);
        var other = await server.LookAsync([.. command, "--idempotency-key", "another"]);

        Assert.True(first.ExitCode == 0, first.Errors);
        Assert.Equal(first.Output, again.Output);
        Assert.Contains("was handed in before", again.Errors, StringComparison.Ordinal);
        Assert.NotEqual(first.Output, other.Output);
        await WaitAsync(first.Lines[0], "completed");
    }

    [Fact]
    public async Task A_folder_that_the_server_may_not_read_fails_the_job_with_the_reason()
    {
        var run = await server.AskAsync("submit", "/etc", "--follow");

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("may not be read", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_shows_the_wrong_key_or_none_is_told_where_it_came_from()
    {
        var viewer = await server.MakeKeyAsync("viewer");
        await File.WriteAllTextAsync(server.In("wrong"), viewer[..^3] + "xyz");
        (string, string)[] variables = [("LLAVA_SERVER", server.Address), ("LLAVA_API_KEY", viewer)];

        var wrong = await LlavaProcess.RunAsync(server.Data, "status", "--server", server.Address, "--api-key-file", server.In("wrong"));
        var none = await LlavaProcess.RunAsync(server.Data, "status", "--server", server.Address);
        var allowed = await LlavaProcess.RunWithAsync(server.In("nothing"), variables, "status");
        var forbidden = await LlavaProcess.RunWithAsync(server.In("nothing"), variables, "submit", server.Images);

        Assert.True(wrong.ExitCode == 3 && wrong.Errors.Contains($"'{server.In("wrong")}'", StringComparison.Ordinal), wrong.Errors);
        Assert.True(none.ExitCode == 3 && none.Errors.Contains("set LLAVA_API_KEY or give --api-key-file", StringComparison.Ordinal), none.Errors);
        Assert.True(allowed.ExitCode == 0, allowed.Errors);
        Assert.True(forbidden.ExitCode == 3 && forbidden.Errors.Contains("the variable LLAVA_API_KEY", StringComparison.Ordinal) && forbidden.Errors.Contains("viewer may not", StringComparison.Ordinal), forbidden.Errors);
        Assert.All([wrong, none, forbidden], run => Assert.DoesNotContain(viewer[20..40], run.Errors, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_revoked_key_opens_nothing_more()
    {
        var secret = await server.MakeKeyAsync("admin", "--expires", "1");
        var id = secret.Split('_')[1];
        Assert.Contains($"Key {id}", (await server.LookAsync("keys", "revoke", id)).Output, StringComparison.Ordinal);

        var run = await LlavaProcess.RunWithAsync(server.In("nothing"), [("LLAVA_API_KEY", secret)], "status", "--server", server.Address);

        Assert.True(run.ExitCode == 3 && run.Errors.Contains("was revoked", StringComparison.Ordinal), run.Errors);
        var listed = await server.LookAsync("keys", "list", "--json");
        Assert.Contains(id, listed.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(secret[20..], listed.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, "nothing listens there", "status", "--server", "http://127.0.0.1:9")]
    [InlineData(2, "is no address of a server", "status", "--server", "ftp://somewhere")]
    [InlineData(2, "name two places", "status", "--server", "http://localhost:5080", "--data", "here")]
    [InlineData(2, "as the server sees it", "submit", "photos", "--server", "http://localhost:5080")]
    [InlineData(2, "Say --input-format", "submit", "/data/set.json", "--server", "http://localhost:5080")]
    [InlineData(2, "Required", "keys", "create")]
    [InlineData(2, "no key", "keys", "revoke", "nonsense")]
    public async Task What_cannot_be_reached_or_is_mistyped_gets_a_sentence_and_an_exit_code(int exitCode, string sentence, params string[] arguments)
    {
        var run = await LlavaProcess.RunAsync(server.In("nothing"), arguments);

        Assert.Contains(sentence, run.Errors, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.DoesNotContain("   at ", run.Errors, StringComparison.Ordinal);
    }

    private async Task<byte[]> BytesAsync(Func<string[], Task<LlavaRun>> run, string job, string name)
    {
        var written = await run(["results", job, "--out", server.In(name)]);
        Assert.True(written.ExitCode == 0, written.Errors);
        return await File.ReadAllBytesAsync(server.In(name));
    }

    private IEnumerable<string> Texts(string folder) => Directory.EnumerateFiles(server.In(folder)).Order(StringComparer.Ordinal).Select(file => $"{Path.GetFileName(file)}: {File.ReadAllText(file)}");

    private Task WaitAsync(string job, string state) => WaitAsync(job, shown => shown.GetProperty("state").GetString() == state, state);

    private Task WaitForAnswersAsync(string job, int answers) => WaitAsync(job, shown => shown.GetProperty("succeeded").GetInt32() == answers, $"answered {answers} times");

    private async Task WaitAsync(string job, Func<JsonElement, bool> isReached, string goal)
    {
        for (var looks = 0; ; looks++)
        {
            var run = await server.AskAsync("status", job, "--json");
            Assert.True(run.ExitCode == 0, run.Errors);
            using var json = JsonDocument.Parse(run.Output);
            if (isReached(json.RootElement))
            {
                return;
            }

            Assert.True(looks < 60, $"The job is {run.Output}, not {goal}.");
            await Task.Delay(100);
        }
    }

    private static string Text(string line, string field)
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.GetProperty(field).GetString()!;
    }
}
