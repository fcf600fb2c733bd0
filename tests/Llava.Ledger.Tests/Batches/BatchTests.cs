using System.Text;
using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Batches;
using Llava.Ledger.Files;
using Llava.Ledger.Webhooks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Llava.Ledger.Tests.Batches;

/// <summary>Batches beside their jobs, and the one time that their files are made.</summary>
public abstract class BatchTests(TestDatabase database) : LedgerFixture(database)
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-batches-");

    private BatchStore Batches => Get<BatchStore>();

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_batch_and_its_job_are_there_together_and_end_with_their_files()
    {
        var batch = await RunAsync(answered: 3, failed: 1);
        Assert.Equal(BatchStatus.Finalizing, await StatusAsync(batch.Id));

        Assert.Equal(1, await Publication().PublishAsync());
        Assert.Equal(0, await Publication().PublishAsync());

        var published = (await Batches.FindAsync(batch.Id, "archive"))!;
        Assert.Equal(BatchStatus.Completed, await StatusAsync(batch.Id));
        Assert.Equal(["item-1", "item-2", "item-3"], await NamesAsync(published.OutputFile!));
        Assert.Equal(["item-0"], await NamesAsync(published.ErrorFile!));
        Assert.Null(await Batches.FindAsync(batch.Id, "others"));
    }

    [Fact]
    public async Task Of_two_processes_that_make_the_files_one_is_believed_and_nothing_else_is_left()
    {
        var batch = await RunAsync(answered: 600, failed: 0);
        await using var other = Open();

        var published = await Task.WhenAll(Publication().PublishAsync(), Publication(other).PublishAsync());

        Assert.Equal(1, published.Sum());
        var found = (await Batches.FindAsync(batch.Id, null))!;
        Assert.Equal((600, null), ((await NamesAsync(found.OutputFile!)).Count, found.ErrorFile));
        Assert.Equal(found.OutputFile, Assert.Single(Directory.EnumerateFiles(_folder.FullName, "*", SearchOption.AllDirectories).Select(Path.GetFileName)));
    }

    [Fact]
    public async Task A_process_that_dies_before_the_files_are_made_leaves_them_to_the_next()
    {
        var batch = await RunAsync(answered: 2, failed: 0);
        await RestartAsync();

        Assert.Equal(1, await Publication().PublishAsync());
        Assert.Equal(BatchStatus.Completed, await StatusAsync(batch.Id));
    }

    [Fact]
    public async Task Items_that_are_tried_again_give_other_files_in_the_end()
    {
        var batch = await RunAsync(answered: 1, failed: 1);
        await Publication().PublishAsync();
        var before = (await Batches.FindAsync(batch.Id, null))!;

        await Control.RetryAsync(batch.Job);
        Assert.Equal((BatchStatus.InProgress, null), (await StatusAsync(batch.Id), (await Batches.FindAsync(batch.Id, null))!.PublishedAt));
        var chunk = Assert.Single(await Dispatch.WaitingAsync(batch.Job, 10));
        Assert.True(await AnswerAsync((await ClaimAsync(batch.Job, chunk.ChunkNo, chunk.Attempt))!));
        Clock.Advance(TimeSpan.FromSeconds(1));
        await EndAsync();
        await Publication().PublishAsync();

        var after = (await Batches.FindAsync(batch.Id, null))!;
        Assert.Equal((2, null), ((await NamesAsync(after.OutputFile!)).Count, after.ErrorFile));
        Assert.Null(await Files().FindAsync(before.OutputFile!, null));
        Assert.Null(await Files().FindAsync(before.ErrorFile!, null));
    }

    [Fact]
    public async Task What_was_not_answered_says_why_and_files_that_would_be_empty_are_none()
    {
        var cancelled = await CreateAsync();
        Assert.True(await Expansion.AppendAsync(cancelled.Job, 0, Chunks(0, 2, 2), "end"));
        Assert.True(await Expansion.FinishAsync(cancelled.Job));
        cancelled = await Batches.CancelAsync(cancelled);
        Assert.Equal((BatchStatus.Cancelling, Clock.GetUtcNow()), (await StatusAsync(cancelled.Id), cancelled.CancellingAt));
        var expired = await CreateAsync(request => request with { CompletionWindow = TimeSpan.FromHours(1) });
        Assert.True(await Expansion.AppendAsync(expired.Job, 0, Chunks(0, 1, 1), "end"));
        Assert.True(await Expansion.FinishAsync(expired.Job));
        Clock.Advance(TimeSpan.FromHours(2));
        await EndAsync();
        Assert.Equal(2, await Publication().PublishAsync());

        Assert.Equal((BatchStatus.Cancelled, BatchStatus.Expired), (await StatusAsync(cancelled.Id), await StatusAsync(expired.Id)));
        foreach (var (id, code) in new[] { (cancelled.Id, "batch_cancelled"), (expired.Id, "batch_expired") })
        {
            var batch = (await Batches.FindAsync(id, null))!;
            Assert.Null(batch.OutputFile);
            Assert.All(await LinesAsync(batch.ErrorFile!), line => Assert.Equal((JsonValueKind.Null, code), (line.GetProperty("response").ValueKind, line.GetProperty("error").GetProperty("code").GetString())));
        }
    }

    [Fact]
    public async Task A_refused_input_keeps_its_lines_and_one_whose_lines_all_fail_is_answered()
    {
        var refused = await CreateAsync();
        await Expansion.FailAsync(refused.Job, new("invalid_source", "Bad."), [new(new("invalid_line", "Line 2: bad") { Param = "n" }, 2)]);
        var useless = await CreateAsync();
        Assert.True(await Expansion.AppendAsync(useless.Job, 0, [new([Item(0) with { Rejection = new("invalid_line", "Line 1: bad") }], 0)], "end"));
        Assert.True(await Expansion.FinishAsync(useless.Job));
        await EndAsync();
        await Publication().PublishAsync();

        var finding = Assert.Single((await Batches.FindAsync(refused.Id, null))!.Findings);
        Assert.Equal(("invalid_line", "Line 2: bad", "n", 2), (finding.Failure.Code, finding.Failure.Message, finding.Failure.Param, finding.Line));
        Assert.Equal((BatchStatus.Failed, BatchStatus.Completed), (await StatusAsync(refused.Id), await StatusAsync(useless.Id)));
        Assert.Equal(["item-0"], await NamesAsync((await Batches.FindAsync(useless.Id, null))!.ErrorFile!));
    }

    [Fact]
    public async Task Its_end_and_its_jobs_are_told_once_to_whom_they_concern()
    {
        var all = await Get<WebhookStore>().CreateAsync("archive", "https://example.org/all", []);
        var some = await Get<WebhookStore>().CreateAsync("archive", "https://example.org/some", ["batch.completed"]);
        var others = await Get<WebhookStore>().CreateAsync("others", "https://example.org/others", []);
        var batch = await RunAsync(answered: 1, failed: 0);
        await Publication().PublishAsync();
        await Publication().PublishAsync();

        Assert.Equal([("batch.completed", batch.Id), ("job.completed", batch.Job.ToString())], (await Get<WebhookStore>().DeliveriesAsync(all, null, null, 10)).Select(Told).Order());
        Assert.Equal([("batch.completed", batch.Id)], (await Get<WebhookStore>().DeliveriesAsync(some, null, null, 10)).Select(Told));
        Assert.Empty(await Get<WebhookStore>().DeliveriesAsync(others, null, null, 10));
    }

    [Fact]
    public async Task A_batch_goes_with_its_job()
    {
        var batch = await RunAsync(answered: 1, failed: 0);
        Clock.Advance(TimeSpan.FromDays(2));
        Assert.Equal(1, await Get<Ledger.Jobs.JobRetention>().DeleteAsync(TimeSpan.FromDays(1)));

        Assert.Null(await Batches.FindAsync(batch.Id, null));
        Assert.Empty(await Batches.ListAsync(null, null, 10));
    }

    private static (string Type, string? Subject) Told(WebhookDelivery delivery) =>
        (delivery.Type, JsonDocument.Parse(delivery.Payload).RootElement.GetProperty("data").GetProperty("id").GetString());

    private FileStore Files(IServiceProvider? process = null) => new(
        (process ?? Services).GetRequiredService<Storage.LedgerDatabase>(), new FileBytes(Options, new() { Folder = _folder.FullName }), Clock, NullLogger<FileStore>.Instance);

    private BatchPublication Publication(IServiceProvider? process = null) => new(
        (process ?? Services).GetRequiredService<Storage.LedgerDatabase>(), (process ?? Services).GetRequiredService<BatchStore>(), Files(process), Clock, NullLogger<BatchPublication>.Instance);

    private Task<BatchRecord> CreateAsync(Func<JobRequest, JobRequest>? change = null) =>
        Batches.CreateAsync(new("file-input", "/v1/chat/completions", "24h"), (change ?? (request => request))(Request() with { Tenant = "archive" }));

    /// <summary>A batch whose items are answered, but for the first ones, which fail.</summary>
    private async Task<BatchRecord> RunAsync(int answered, int failed)
    {
        var batch = await CreateAsync();
        var items = answered + failed;
        Assert.True(await Expansion.AppendAsync(batch.Job, 0, Chunks(0, items, items), "end"));
        Assert.True(await Expansion.FinishAsync(batch.Job));
        var lease = (await ClaimAsync(batch.Job, 0))!;
        Assert.True(await Writer.CommitAsync(lease, [.. Enumerable.Range(0, items).Select(item => item < failed ? Ledger.Results.FinishedItem.Failed(item, new("invalid_image", "why")) : Answer(item))], completesChunk: true));
        await EndAsync();
        return batch;
    }

    private async Task EndAsync()
    {
        await Ending.AdvanceAsync();
        foreach (var ended in await Ending.UnannouncedAsync())
        {
            Assert.True(await Ending.AnnounceAsync(ended, _ => Task.CompletedTask));
        }
    }

    private async Task<BatchStatus> StatusAsync(string id)
    {
        var batch = (await Batches.FindAsync(id, null))!;
        return batch.StatusOf(await Jobs.ReadAsync(batch.Job));
    }

    private async Task<List<JsonElement>> LinesAsync(string file)
    {
        await using var bytes = Files().Open((await Files().FindAsync(file, "archive"))!);
        using StreamReader reader = new(bytes, Encoding.UTF8);
        return [.. (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
    }

    private async Task<List<string>> NamesAsync(string file) => [.. (await LinesAsync(file)).Select(line => line.GetProperty("custom_id").GetString()!)];
}

public sealed class SqliteBatchTests() : BatchTests(new SqliteFile());

public sealed class PostgresBatchTests() : BatchTests(new PostgresTestDatabase());
