using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger;
using Llava.Ledger.Chunks;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Schedules;
using Llava.Scheduler.Expansion;
using Llava.Scheduler.Sources;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Scheduler.Tests;

public sealed class JobExpanderTests : SourceFolder
{
    [Fact]
    public async Task An_expansion_killed_after_any_item_goes_on_without_a_gap_or_a_double()
    {
        const int Items = 45;
        WriteImages([.. Enumerable.Range(0, Items / 3).Select(i => $"{i}.png")]);
        var path = Write("m.jsonl", [.. Enumerable.Range(0, Items).Select(i => i % 10 == 9 ? "{broken" : $$"""{"id":"{{i}}","image":"{{i / 3}}.png","prompt":"?"}""")]);
        for (var killedAfter = 0; killedAfter <= Items; killedAfter++)
        {
            await using var ledger = Open();
            var job = await SubmitAsync(ledger, new() { Kind = SourceKind.Manifest, Path = path });

            await Assert.ThrowsAsync<KilledException>(() => ExpandAsync(ledger, job, new KilledSource(new SourceReader(Roots), killedAfter)));
            await ExpandAsync(ledger, job, new SourceReader(Roots));

            Assert.Equal(JobState.Queued, (await ledger.GetRequiredService<JobReader>().ReadAsync(job)).State);
            Assert.Equal(Enumerable.Range(0, Items).Select(i => i % 10 == 9 ? $"line-{i + 1}" : $"{i}"), await AllItemsAsync(ledger, job));
        }
    }

    [Fact]
    public async Task A_source_that_cannot_be_read_fails_the_job_with_the_reason()
    {
        await using var ledger = Open();
        var job = await SubmitAsync(ledger, new() { Kind = SourceKind.Folder, Path = Outside });

        await ExpandAsync(ledger, job, new SourceReader(Roots));

        var record = await ledger.GetRequiredService<JobReader>().ReadAsync(job);
        Assert.Equal((JobState.Failed, "path_not_allowed"), (record.State, record.Failure!.Code));
    }

    [Fact]
    public async Task An_item_with_nothing_to_ask_is_rejected_when_the_job_asks_nothing_either()
    {
        await using var ledger = Open();
        WriteImages("a.png", "b.png");
        var path = Write("m.jsonl", """{"image":"a.png"}""", """{"image":"b.png","prompt":"?"}""");
        var job = await SubmitAsync(ledger, new() { Kind = SourceKind.Manifest, Path = path });

        await ExpandAsync(ledger, job, new SourceReader(Roots));

        var rejected = Assert.Single(await ledger.GetRequiredService<ResultReader>().PageAsync(job, new()));
        Assert.Equal((0, JobItems.NoPrompt), (rejected.ItemNo, rejected.Result.Failure!.Code));
    }

    [Fact]
    public async Task A_matrix_killed_between_two_prompts_of_one_image_goes_on_without_a_gap_or_a_double()
    {
        string[] images = [.. Enumerable.Range(0, 12).Select(i => $"{i:00}.png")];
        WriteImages(images);
        JobRequest request = new() { Model = "m", Source = new() { Kind = SourceKind.Folder, Path = Root }, ChunkItems = 2, Prompts = ["What?", "Why?", "Where?"] };
        for (var killedAfter = 0; killedAfter <= images.Length; killedAfter++)
        {
            await using var ledger = Open();
            var job = await SubmitJobAsync(ledger, request);

            await Assert.ThrowsAsync<KilledException>(() => ExpandAsync(ledger, job, new KilledSource(new SourceReader(Roots), killedAfter), batch: 2));
            await ExpandAsync(ledger, job, new SourceReader(Roots), batch: 2);

            Assert.Equal(images.SelectMany(image => (string[])[$"{image}#1 What?", $"{image}#2 Why?", $"{image}#3 Where?"]), await AllItemsAsync(ledger, job, withPrompts: true));
        }
    }

    [Fact]
    public async Task A_duplicate_name_is_found_across_an_interruption_too()
    {
        const int Lines = 40;
        var path = Write("m.jsonl", [.. Enumerable.Range(0, Lines).Select(i => $$"""{"id":"{{(i == 35 ? 2 : i)}}","prompt":"?"}""")]);
        foreach (var killedAfter in (int[])[0, 20, 35, Lines])
        {
            await using var ledger = Open();
            var job = await SubmitAsync(ledger, new() { Kind = SourceKind.Manifest, Path = path });

            await Assert.ThrowsAsync<KilledException>(() => ExpandAsync(ledger, job, new KilledSource(new SourceReader(Roots), killedAfter)));
            await ExpandAsync(ledger, job, new SourceReader(Roots));

            var refused = Assert.Single(await ledger.GetRequiredService<ResultReader>().PageAsync(job, new()));
            Assert.Equal((35, JobItems.DuplicateName), (refused.ItemNo, refused.Result.Failure!.Code));
            Assert.StartsWith($"Line 36 of '{path}': The custom_id '2' is that of line 3 already", refused.Result.Failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_strict_job_is_refused_before_any_work_with_counts_and_lines()
    {
        await using var ledger = Open();
        WriteImages("a.png");
        var path = Write("m.jsonl", """{"id":1,"image":"a.png","prompt":"?"}""", "{broken", """{"id":1,"prompt":"?"}""", """{"image":"none.png","prompt":"?"}""", """{"image":"a.png"}""");
        var job = await SubmitJobAsync(ledger, new() { Model = "m", Strict = true, Source = new() { Kind = SourceKind.Manifest, Path = path } });

        await ExpandAsync(ledger, job, new SourceReader(Roots));

        var record = await ledger.GetRequiredService<JobReader>().ReadAsync(job);
        Assert.Equal((JobState.Failed, StrictValidation.InvalidSource, 0), (record.State, record.Failure!.Code, record.ItemCount));
        Assert.All(
            (string[])["4 of the 5 items", "1 invalid_line", "1 duplicate_custom_id", "1 image_not_found", "1 no_prompt", "Line 2 of", "Line 3 of", "Line 4 of", "Line 5 of"],
            part => Assert.Contains(part, record.Failure.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_strict_jobs_findings_are_capped_and_all_counted()
    {
        await using var ledger = Open();
        var path = Write("m.jsonl", [.. Enumerable.Repeat("{", 100)]);
        var job = await SubmitJobAsync(ledger, new() { Model = "m", Strict = true, Source = new() { Kind = SourceKind.Manifest, Path = path } });

        await ExpandAsync(ledger, job, new SourceReader(Roots));

        var message = (await ledger.GetRequiredService<JobReader>().ReadAsync(job)).Failure!.Message;
        Assert.Contains("Line 20 of", message, StringComparison.Ordinal);
        Assert.DoesNotContain("Line 21 of", message, StringComparison.Ordinal);
        Assert.Contains("and 80 more", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_strict_job_without_findings_is_expanded()
    {
        await using var ledger = Open();
        var path = Write("m.jsonl", """{"id":1,"prompt":"?"}""", """{"id":2,"prompt":"?"}""");
        var job = await SubmitJobAsync(ledger, new() { Model = "m", Strict = true, Source = new() { Kind = SourceKind.Manifest, Path = path } });

        await ExpandAsync(ledger, job, new SourceReader(Roots));

        Assert.Equal(["1", "2"], await AllItemsAsync(ledger, job));
    }

    private ServiceProvider Open() => new ServiceCollection()
        .AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(Outside, $"{Guid.NewGuid():n}.db")))
        .BuildServiceProvider();

    private static Task<JobId> SubmitAsync(ServiceProvider ledger, SourceDescription source) => SubmitJobAsync(ledger, new() { Model = "m", Source = source, ChunkItems = 4 });

    private static async Task<JobId> SubmitJobAsync(ServiceProvider ledger, JobRequest request) => (await ledger.GetRequiredService<JobSubmission>().SubmitAsync(request)).Id;

    private async Task ExpandAsync(ServiceProvider ledger, JobId job, IJobSource source, int batch = 8)
    {
        var record = await ledger.GetRequiredService<JobReader>().ReadAsync(job);
        await new JobExpander(source, ledger.GetRequiredService<JobExpansion>(), ledger.GetRequiredService<PartExpansion>(), ledger.GetRequiredService<ScheduleMemory>(), Roots, new() { ExpansionBatch = batch }).ExpandAsync(record, default);
    }

    /// <summary>Names of all items in order, as claims and results show them; their chunks must not overlap.</summary>
    private static async Task<List<string>> AllItemsAsync(ServiceProvider ledger, JobId job, bool withPrompts = false)
    {
        SortedDictionary<int, string> items = [];
        foreach (var chunk in await ledger.GetRequiredService<ChunkDispatch>().WaitingAsync(job, 1000))
        {
            foreach (var item in (await ledger.GetRequiredService<ChunkLeases>().ClaimAsync(job, chunk.ChunkNo, 0, "w"))!.Items)
            {
                items.Add(item.ItemNo, withPrompts ? $"{item.CustomId} {item.Prompt}" : item.CustomId);
            }
        }

        foreach (var result in await ledger.GetRequiredService<ResultReader>().PageAsync(job, new() { Limit = 1000 }))
        {
            items.Add(result.ItemNo, result.CustomId);
        }

        return [.. items.Values];
    }
}
