using System.Diagnostics;
using System.Text.Json;
using Llava.Cli.Output;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Parquet;

namespace Llava.Cli.Tests.Output;

/// <summary>Every format, read back by another reader than its writer.</summary>
public sealed class ExportTests : IAsyncLifetime
{
    private static readonly byte[] Png = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3];

    private readonly FinishedJob _files = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _files.DisposeAsync().AsTask();

    [Fact]
    public async Task Parquet_has_a_row_per_result()
    {
        var path = await _files.WriteAsync(await AnswerAsync(), OutputFormat.Parquet);

        await using var file = await ParquetReader.CreateAsync(path);
        using var group = file.OpenRowGroupReader(0);
        var fields = file.Schema.GetDataFields().ToDictionary(field => field.Name);
        async Task<List<string?>> TextsAsync(string name)
        {
            var values = new string?[group.RowCount];
            await group.ReadAsync(fields[name], values!);
            return [.. values];
        }

        Assert.Equal(["7", "8", "9", "ten"], await TextsAsync("custom_id"));
        Assert.Equal(["A \"red\"\nball, ä", "=1+1", null, "text"], await TextsAsync("text"));
        Assert.Equal(["Describe {it}.", "Why?", "Describe {it}.", "Why?"], await TextsAsync("prompt"));
        Assert.Equal([null, null, "image_not_found", null], await TextsAsync("error_code"));
        var tokens = new int[group.RowCount];
        await group.ReadAsync<int>(fields["completion_tokens"], tokens);
        Assert.Equal([0, 1, 0, 3], tokens);
        var confidence = new double?[group.RowCount];
        await group.ReadAsync<double>(fields["confidence"], confidence);
        Assert.Equal([null, 0.5, null, 0.5], confidence);
    }

    [Fact]
    public async Task A_job_without_results_gives_files_that_can_be_read()
    {
        var job = await _files.AnswerAsync(Request(SourceKind.Manifest), (new("a", []), null, null));

        await using var parquet = await ParquetReader.CreateAsync(await _files.WriteAsync(job, OutputFormat.Parquet));
        Assert.Contains(parquet.Schema.Fields, field => field.Name == "text");
        Assert.Empty((await JsonAsync(await _files.WriteAsync(job, OutputFormat.Coco))).GetProperty("annotations").EnumerateArray());
    }

    [Theory]
    [InlineData(SourceKind.Coco, "7", "9")]
    [InlineData(SourceKind.Manifest, "1", "2")]
    public async Task Coco_shares_images_between_neighbours_and_keeps_its_own_ids(SourceKind kind, string first, string second)
    {
        var coco = await JsonAsync(await _files.WriteAsync(await AnswerAsync(kind), OutputFormat.Coco));

        Assert.Equal([($"{first}", "a.png"), ($"{second}", "sub/none.png")], coco.GetProperty("images").EnumerateArray().Select(image => (image.GetProperty("id").GetRawText(), image.GetProperty("file_name").GetString()!)));
        Assert.Equal(
            [("1", first, "A \"red\"\nball, ä"), ("2", kind == SourceKind.Coco ? "8" : first, "=1+1")],
            coco.GetProperty("annotations").EnumerateArray().Select(a => (a.GetProperty("id").GetRawText(), a.GetProperty("image_id").GetRawText(), a.GetProperty("caption").GetString()!)));
    }

    [Fact]
    public async Task Openai_lines_are_answers_in_one_file_and_errors_in_the_other()
    {
        var job = await AnswerAsync();

        var answers = await LinesAsync(await _files.WriteAsync(job, OutputFormat.OpenAi));
        var errors = await LinesAsync(await _files.WriteAsync(job, OutputFormat.OpenAiErrors));

        Assert.Equal(["7", "8", "ten"], answers.Select(line => line.GetProperty("custom_id").GetString()));
        var body = answers[0].GetProperty("response").GetProperty("body");
        Assert.Equal((200, JsonValueKind.Null), (answers[0].GetProperty("response").GetProperty("status_code").GetInt32(), answers[0].GetProperty("error").ValueKind));
        Assert.Equal(("chat.completion", "A \"red\"\nball, ä", "stop"), (
            body.GetProperty("object").GetString(),
            body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString(),
            body.GetProperty("choices")[0].GetProperty("finish_reason").GetString()));
        Assert.Equal(JsonValueKind.Null, body.GetProperty("choices")[0].GetProperty("message").GetProperty("refusal").ValueKind);
        Assert.Equal(13, answers[2].GetProperty("response").GetProperty("body").GetProperty("usage").GetProperty("total_tokens").GetInt32());
        var error = Assert.Single(errors);
        Assert.Equal(("9", 400, "image_not_found", JsonValueKind.Null), (
            error.GetProperty("custom_id").GetString(),
            error.GetProperty("response").GetProperty("status_code").GetInt32(),
            error.GetProperty("response").GetProperty("body").GetProperty("error").GetProperty("code").GetString(),
            error.GetProperty("error").ValueKind));
    }

    [Fact]
    public async Task An_archive_can_be_read_by_tar_and_holds_images_answers_and_results()
    {
        var folder = Directory.CreateDirectory(_files.In("unpacked")).FullName;
        var path = await _files.WriteAsync(await AnswerAsync(), OutputFormat.WebDataset);

        using var tar = Process.Start(new ProcessStartInfo("tar", ["-C", folder, "-xf", path]))!;
        await tar.WaitForExitAsync();

        Assert.Equal(0, tar.ExitCode);
        Assert.Equal(
            ["000000000.json", "000000000.png", "000000000.txt", "000000001.json", "000000001.png", "000000001.txt", "000000003.json", "000000003.txt"],
            Directory.GetFiles(folder).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal));
        Assert.Equal(Png, await File.ReadAllBytesAsync(Path.Combine(folder, "000000000.png")));
        Assert.Equal("A \"red\"\nball, ä", await File.ReadAllTextAsync(Path.Combine(folder, "000000000.txt")));
        Assert.Equal("8", (await JsonAsync(Path.Combine(folder, "000000001.json"))).GetProperty("custom_id").GetString());
    }

    [Fact]
    public async Task Texts_of_an_open_jobs_parts_are_named_as_their_items_and_stay_below_the_folder()
    {
        JobRequest request = new() { Model = "m", Prompts = ["What?", "Why?"], Open = true, Source = new() { Kind = SourceKind.Folder, Path = "/photos/monday" } };
        var job = await _files.AnswerAsync(
            request,
            (new("a.png#1", ["/photos/monday/a.png"]), "own", null),
            (new("b.png#1", ["/photos/tuesday/b.png"]), "a ball", null),
            (new("b.png#2", ["/photos/tuesday/b.png"]), "for play", null),
            (new("../../c#1", ["/photos/tuesday/c.png"]), "elsewhere", null));

        var folder = await _files.WriteAsync(job, OutputFormat.Txt);

        Assert.Equal(["3.txt", "a.txt", "b.txt"], Directory.GetFiles(folder).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal));
        Assert.Equal("a ball\nfor play\n", await File.ReadAllTextAsync(Path.Combine(folder, "b.txt")));
    }

    [Fact]
    public async Task A_writing_that_fails_leaves_no_file_behind()
    {
        var job = await AnswerAsync();
        File.Delete(_files.In("a.png"));

        await Assert.ThrowsAsync<FileNotFoundException>(() => _files.WriteAsync(job, OutputFormat.WebDataset));

        Assert.DoesNotContain(Directory.GetFiles(_files.In(".")), file => Path.GetFileName(file).StartsWith("out", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_copy_says_where_its_answer_is_from()
    {
        var job = await AnswerAsync();
        ItemResult own = new() { ItemNo = 5, CustomId = "c", Images = [], Result = new() { ItemNo = 5, Outcome = ItemOutcome.Succeeded, Text = "A ball." } };

        Assert.Equal((false, false), Marks(own));
        Assert.Equal((true, false), Marks(own with { Result = own.Result with { CopyOf = new(job.Id, 2) } }));
        Assert.Equal((false, true), Marks(own with { Result = own.Result with { CopyOf = new(new JobId(1), 2) } }));

        (bool IsCopied, bool IsCached) Marks(ItemResult result)
        {
            var json = JsonDocument.Parse(JsonText.Of(writer => JsonLinesResults.Write(writer, job, result))).RootElement;
            return (json.TryGetProperty("copied_from", out var item) && item.GetInt32() == 2, json.TryGetProperty("cached", out var cached) && cached.GetBoolean());
        }
    }

    [Fact]
    public async Task A_timeline_counts_from_the_claim_and_leaves_out_what_no_model_told()
    {
        var job = await AnswerAsync();

        var line = (await LinesAsync(await _files.WriteAsync(job, OutputFormat.Timeline)))[0];

        Assert.Equal("A \"red\"\nball, ä", line.GetProperty("text").GetString());
        var timeline = line.GetProperty("timeline");
        Assert.Equal(["claimed_at", "queued_ms", "written_ms"], timeline.EnumerateObject().Select(step => step.Name).Where(name => !FinishedJob.Steps.ContainsKey(name)));
        Assert.Equal(FinishedJob.Steps.Values, FinishedJob.Steps.Keys.Select(step => timeline.GetProperty(step).GetInt64()));
        Assert.False((await LinesAsync(await _files.WriteAsync(job, OutputFormat.Jsonl)))[0].TryGetProperty("timeline", out _));
    }

    [Theory]
    [InlineData("jsonl")]
    [InlineData("timeline")]
    [InlineData("csv")]
    [InlineData("answers")]
    public async Task Lines_cut_off_anywhere_are_gone_on_with_and_end_as_if_never_interrupted(string name)
    {
        var format = OutputFormats.Names[name];
        var job = await AnswerAsync();
        Assert.True(job.State.IsFinal());
        var whole = await File.ReadAllBytesAsync(await _files.WriteAsync(job, format));
        for (var cut = 0; cut <= whole.Length; cut++)
        {
            await File.WriteAllBytesAsync(ResultFile.AsideOf(job, _files.In("again")), whole[..cut]);

            Assert.Equal(whole, await File.ReadAllBytesAsync(await _files.WriteAsync(job, format, "again")));
        }
    }

    [Fact]
    public async Task What_was_written_of_a_job_that_still_runs_is_not_gone_on_with()
    {
        var job = await _files.AnswerAsync(Request(SourceKind.Manifest), (new("a", []), null, null), (new("b", []), "second", null));
        await File.WriteAllTextAsync(ResultFile.AsideOf(job, _files.In("out")), "{\"custom_id\":\"before\"}\n");

        Assert.Equal("b", Assert.Single(await LinesAsync(await _files.WriteAsync(job, OutputFormat.Jsonl))).GetProperty("custom_id").GetString());
    }

    private JobRequest Request(SourceKind kind) => new() { Model = "/models/m", Prompt = "Describe {{it}}.", Source = new() { Kind = kind, Path = _files.In("items") } };

    private async Task<JobRecord> AnswerAsync(SourceKind kind = SourceKind.Manifest)
    {
        await File.WriteAllBytesAsync(_files.In("a.png"), Png);
        return await _files.AnswerAsync(
            Request(kind),
            (new("7", [_files.In("a.png")]), "A \"red\"\nball, ä", null),
            (new("8", [_files.In("a.png")], "Why?"), "=1+1", null),
            (new("9", [_files.In("sub/none.png")]), null, "image_not_found"),
            (new("ten", [], "Why?"), "text", null));
    }

    private static async Task<JsonElement> JsonAsync(string path) => JsonSerializer.Deserialize<JsonElement>(await File.ReadAllTextAsync(path));

    private static async Task<List<JsonElement>> LinesAsync(string path) => [.. (await File.ReadAllLinesAsync(path)).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
}
