using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Hosting.Transport;
using Llava.Ledger;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Schedules;
using Llava.Scheduler.Expansion;
using Llava.Scheduler.Sources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Llava.Scheduler.Tests;

/// <summary>Reading parts of open jobs.</summary>
public sealed class PartExpanderTests : SourceFolder
{
    [Fact]
    public async Task Parts_of_several_kinds_follow_on_the_jobs_own_source_in_their_order()
    {
        await using var ledger = Open();
        WriteImages("a/1.png", "a/2.png", "b/3.png", "x.png");
        var job = await QueueAsync(ledger, Folder("a"));
        await AppendAsync(ledger, job, Folder("b"));
        await AppendAsync(ledger, job, new() { Kind = SourceKind.Table, Path = Write("t.csv", "id,image", "row,x.png") });
        await AppendAsync(ledger, job, new() { Kind = SourceKind.List, Path = Write("l.txt", "x.png", "b/3.png") });

        await ExpandPartsAsync(ledger, new SourceReader(Roots));

        Assert.Equal(["1.png", "2.png", "3.png", "row", "x.png", "b/3.png"], await NamesAsync(ledger, job));
        Assert.Equal([(1, PartState.Done, 2, 1), (2, PartState.Done, 3, 1), (3, PartState.Done, 4, 2)], (await PartsAsync(ledger, job)).Select(part => (part.Number, part.State, part.FirstItem!.Value, part.ItemCount)));
        Assert.Empty(await RefusedAsync(ledger, job));
    }

    [Fact]
    public async Task A_name_that_an_earlier_source_has_is_refused_with_its_item()
    {
        await using var ledger = Open();
        WriteImages("a/1.png", "a/2.png", "b/2.png", "b/3.png");
        var job = await QueueAsync(ledger, Folder("a"));
        await AppendAsync(ledger, job, Folder("b"));
        var manifest = Write("m.jsonl", """{"id":"3.png","prompt":"?"}""", """{"id":"4","prompt":"?"}""", """{"id":"4","prompt":"?"}""");
        await AppendAsync(ledger, job, new() { Kind = SourceKind.Manifest, Path = manifest });

        await ExpandPartsAsync(ledger, new SourceReader(Roots));

        Assert.Equal(["1.png", "2.png", "2.png", "3.png", "3.png", "4", "4"], await NamesAsync(ledger, job));
        Assert.Equal(
            [
                (2, "The custom_id '2.png' is that of item 1, which came with an earlier source, already; give each its own."),
                (4, $"Line 1 of '{manifest}': The custom_id '3.png' is that of item 3, which came with an earlier source, already; give each its own."),
                (6, $"Line 3 of '{manifest}': The custom_id '4' is that of line 2 already; give each its own."),
            ],
            (await RefusedAsync(ledger, job)).Select(refused => (refused.ItemNo, refused.Result.Failure!.Message)));
        Assert.All(await RefusedAsync(ledger, job), refused => Assert.Equal(JobItems.DuplicateName, refused.Result.Failure!.Code));
    }

    [Fact]
    public async Task Of_a_matrix_the_names_of_records_are_compared()
    {
        await using var ledger = Open();
        JobRequest request = new() { Model = "m", Open = true, Prompts = ["What?", "Why?"], Source = new() { Kind = SourceKind.Manifest, Path = Write("a.jsonl", """{"id":"a","prompt":"?"}""", """{"id":"b#1","prompt":"?"}""") } };
        var job = await QueueJobAsync(ledger, request);
        await AppendAsync(ledger, job, new() { Kind = SourceKind.Manifest, Path = Write("b.jsonl", """{"id":"a#1","prompt":"?"}""", """{"id":"b#1","prompt":"?"}""", """{"id":"b","prompt":"?"}""") });

        await ExpandPartsAsync(ledger, new SourceReader(Roots));

        Assert.Equal(["a#1", "a#2", "b#1#1", "b#1#2", "a#1#1", "a#1#2", "b#1#1", "b#1#2", "b#1", "b#2"], await NamesAsync(ledger, job));
        Assert.Equal([6, 7], (await RefusedAsync(ledger, job)).Select(refused => refused.ItemNo));
    }

    [Fact]
    public async Task Records_without_names_are_called_by_their_part_too()
    {
        await using var ledger = Open();
        var path = Write("m.jsonl", """{"prompt":"?"}""", "{broken", """{"id":"line-3","prompt":"?"}""");
        var job = await QueueAsync(ledger, new() { Kind = SourceKind.Manifest, Path = path });
        await AppendAsync(ledger, job, new() { Kind = SourceKind.Manifest, Path = path });

        await ExpandPartsAsync(ledger, new SourceReader(Roots));

        Assert.Equal(["line-1", "line-2", "line-3", "part-1-line-1", "part-1-line-2", "line-3"], await NamesAsync(ledger, job));
        Assert.Equal([(1, "invalid_line"), (4, "invalid_line"), (5, JobItems.DuplicateName)], (await RefusedAsync(ledger, job)).Select(refused => (refused.ItemNo, refused.Result.Failure!.Code)));
    }

    [Fact]
    public async Task Questions_may_repeat_names_of_earlier_parts_as_they_repeat_their_own()
    {
        await using var ledger = Open();
        var path = Write("q.jsonl", """{"question_id":1,"text":"?"}""", """{"question_id":1,"text":"!"}""");
        var job = await QueueAsync(ledger, new() { Kind = SourceKind.Questions, Path = path });
        await AppendAsync(ledger, job, new() { Kind = SourceKind.Questions, Path = path });

        await ExpandPartsAsync(ledger, new SourceReader(Roots));

        Assert.Equal(["1", "1", "1", "1"], await NamesAsync(ledger, job));
        Assert.Empty(await RefusedAsync(ledger, job));
    }

    [Fact]
    public async Task A_part_that_cannot_be_read_or_is_empty_fails_alone()
    {
        await using var ledger = Open();
        WriteImages("a/1.png", "b/2.png");
        Directory.CreateDirectory(Path.Combine(Root, "empty"));
        var job = await QueueAsync(ledger, Folder("a"));
        await AppendAsync(ledger, job, new() { Kind = SourceKind.Folder, Path = Outside });
        await AppendAsync(ledger, job, Folder("none"));
        await AppendAsync(ledger, job, Folder("empty"));
        await AppendAsync(ledger, job, Folder("b"));

        await ExpandPartsAsync(ledger, new SourceReader(Roots));

        Assert.Equal(["path_not_allowed", "source_not_found", "empty_source", null], (await PartsAsync(ledger, job)).Select(part => part.Failure?.Code));
        Assert.Equal(["1.png", "2.png"], await NamesAsync(ledger, job));
        Assert.Equal(JobState.Queued, (await ledger.GetRequiredService<JobReader>().ReadAsync(job)).State);
    }

    [Fact]
    public async Task A_strict_jobs_part_with_a_bad_record_or_a_repeated_name_adds_nothing()
    {
        await using var ledger = Open();
        JobRequest request = new() { Model = "m", Open = true, Strict = true, Source = new() { Kind = SourceKind.Manifest, Path = Write("a.jsonl", """{"id":1,"prompt":"?"}""") } };
        var job = await QueueJobAsync(ledger, request);
        await AppendAsync(ledger, job, new() { Kind = SourceKind.Manifest, Path = Write("b.jsonl", """{"id":2,"prompt":"?"}""", "{broken") });
        await AppendAsync(ledger, job, new() { Kind = SourceKind.Manifest, Path = Write("c.jsonl", """{"id":1,"prompt":"?"}""") });
        await AppendAsync(ledger, job, new() { Kind = SourceKind.Manifest, Path = Write("d.jsonl", """{"id":3,"prompt":"?"}""") });

        await ExpandPartsAsync(ledger, new SourceReader(Roots));

        var parts = await PartsAsync(ledger, job);
        Assert.Equal([StrictValidation.InvalidSource, StrictValidation.InvalidSource, null], parts.Select(part => part.Failure?.Code));
        Assert.Contains("1 of the 2 items", parts[0].Failure!.Message, StringComparison.Ordinal);
        Assert.Contains("1 duplicate_custom_id", parts[1].Failure!.Message, StringComparison.Ordinal);
        Assert.Equal(["1", "3"], await NamesAsync(ledger, job));
    }

    [Fact]
    public async Task A_part_killed_after_any_item_goes_on_without_a_gap_or_a_double()
    {
        const int Items = 30;
        var own = Write("own.jsonl", """{"id":"own-1","prompt":"?"}""", """{"id":"own-2","prompt":"?"}""", """{"id":"7","prompt":"?"}""");
        var path = Write("m.jsonl", [.. Enumerable.Range(0, Items).Select(i => i % 10 == 9 ? "{broken" : $$"""{"id":"{{(i == 25 ? 3 : i)}}","prompt":"?"}""")]);
        for (var killedAfter = 0; killedAfter <= Items; killedAfter++)
        {
            await using var ledger = Open();
            var job = await QueueAsync(ledger, new() { Kind = SourceKind.Manifest, Path = own });
            await AppendAsync(ledger, job, new() { Kind = SourceKind.Manifest, Path = path });

            await Assert.ThrowsAsync<KilledException>(() => ExpandPartsAsync(ledger, new KilledSource(new SourceReader(Roots), killedAfter)));
            await ExpandPartsAsync(ledger, new SourceReader(Roots));

            Assert.Equal(
                ["own-1", "own-2", "7", .. Enumerable.Range(0, Items).Select(i => i % 10 == 9 ? $"part-1-line-{i + 1}" : i == 25 ? "3" : $"{i}")],
                await NamesAsync(ledger, job));
            Assert.Equal((PartState.Done, 3, Items), Assert.Single((await PartsAsync(ledger, job)).Select(part => (part.State, part.FirstItem!.Value, part.ItemCount))));
            Assert.Equal([(10, JobItems.DuplicateName), (28, JobItems.DuplicateName)], (await RefusedAsync(ledger, job)).Where(refused => refused.Result.Failure!.Code != "invalid_line").Select(refused => (refused.ItemNo, refused.Result.Failure!.Code)));
        }
    }

    [Fact]
    public async Task A_matrix_killed_between_two_prompts_of_a_parts_image_goes_on_without_a_gap_or_a_double()
    {
        string[] images = [.. Enumerable.Range(0, 8).Select(i => $"{i}.png")];
        WriteImages([.. images.Select(image => $"b/{image}"), "a/own.png"]);
        JobRequest request = new() { Model = "m", Open = true, Source = Folder("a"), ChunkItems = 2, Prompts = ["What?", "Why?", "Where?"] };
        for (var killedAfter = 0; killedAfter <= images.Length; killedAfter++)
        {
            await using var ledger = Open();
            var job = await QueueJobAsync(ledger, request);
            await AppendAsync(ledger, job, Folder("b"));

            await Assert.ThrowsAsync<KilledException>(() => ExpandPartsAsync(ledger, new KilledSource(new SourceReader(Roots), killedAfter), batch: 2));
            await ExpandPartsAsync(ledger, new SourceReader(Roots), batch: 2);

            Assert.Equal(((string[])["own.png", .. images]).SelectMany(image => Enumerable.Range(1, 3).Select(prompt => $"{image}#{prompt}")), await NamesAsync(ledger, job));
        }
    }

    [Fact]
    public async Task A_source_that_breaks_in_the_middle_keeps_what_was_read_and_the_next_part_follows()
    {
        await using var ledger = Open();
        WriteImages("own.png", "b/0.png", "c/1.png");
        var job = await QueueAsync(ledger, new() { Kind = SourceKind.List, Path = Path.Combine(Root, "own.png") });
        await AppendAsync(ledger, job, new() { Kind = SourceKind.Manifest, Path = Write("m.jsonl", [.. Enumerable.Range(0, 20).Select(i => $$"""{"id":"{{i}}","prompt":"?"}""")]) });
        await AppendAsync(ledger, job, Folder("c"));

        await ExpandPartsAsync(ledger, new BrokenSource(new SourceReader(Roots)), batch: 4);
        await ExpandPartsAsync(ledger, new SourceReader(Roots));

        Assert.Equal([("source_unreadable", 8), (null, 1)], (await PartsAsync(ledger, job)).Select(part => (part.Failure?.Code, part.ItemCount)));
        Assert.Equal(["own.png", .. Enumerable.Range(0, 8).Select(i => $"{i}"), "1.png"], await NamesAsync(ledger, job));
    }

    [Fact]
    public async Task The_scheduler_reads_parts_that_are_added_while_it_runs()
    {
        WriteImages("a/1.png", "b/2.png", "c/3.png");
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(Outside, "ledger.db")));
        builder.Services.AddLlavaScheduler(options => options.Configure(o => o.ImageRoots = [Root]));
        builder.Services.AddLlavaTransport(builder.Configuration);
        using var host = builder.Build();
        await host.StartAsync();
        var jobs = host.Services.GetRequiredService<JobParts>();
        var (job, _) = await host.Services.GetRequiredService<JobSubmission>().SubmitAsync(new() { Model = "m", Prompt = "?", Open = true, Source = Folder("a") });

        await jobs.AppendAsync(job, new() { Source = Folder("b") });
        await jobs.AppendAsync(job, new() { Source = Folder("c") });

        for (var looks = 0; (await jobs.ListAsync(job)).Any(part => part.State == PartState.Waiting); looks++)
        {
            Assert.True(looks < 300, "The parts are not read.");
            await Task.Delay(50);
        }

        Assert.Equal((JobState.Queued, 3), Shown(await host.Services.GetRequiredService<JobReader>().ReadAsync(job)));
        await host.StopAsync();

        static (JobState, int) Shown(JobRecord record) => (record.State, record.ItemCount);
    }

    private SourceDescription Folder(string name) => new() { Kind = SourceKind.Folder, Path = Path.Combine(Root, name) };

    private ServiceProvider Open() => new ServiceCollection()
        .AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(Outside, $"{Guid.NewGuid():n}.db")))
        .BuildServiceProvider();

    private Task<JobId> QueueAsync(ServiceProvider ledger, SourceDescription source) => QueueJobAsync(ledger, new() { Model = "m", Prompt = "?", Open = true, Source = source, ChunkItems = 4 });

    private async Task<JobId> QueueJobAsync(ServiceProvider ledger, JobRequest request)
    {
        var (job, _) = await ledger.GetRequiredService<JobSubmission>().SubmitAsync(request);
        await Expander(ledger, new SourceReader(Roots), 8).ExpandAsync(await ledger.GetRequiredService<JobReader>().ReadAsync(job), default);
        return job;
    }

    private static Task<AppendedPart> AppendAsync(ServiceProvider ledger, JobId job, SourceDescription source) => ledger.GetRequiredService<JobParts>().AppendAsync(job, new() { Source = source });

    /// <summary>Expands whatever waits, a part at a time, as the loop does.</summary>
    private async Task ExpandPartsAsync(ServiceProvider ledger, IJobSource source, int batch = 8)
    {
        while ((await ledger.GetRequiredService<PartExpansion>().WaitingAsync()) is [var part, ..])
        {
            await Expander(ledger, source, batch).ExpandAsync(part, default);
        }
    }

    private JobExpander Expander(ServiceProvider ledger, IJobSource source, int batch) => new(
        source, ledger.GetRequiredService<JobExpansion>(), ledger.GetRequiredService<PartExpansion>(), ledger.GetRequiredService<ScheduleMemory>(), Roots, new() { ExpansionBatch = batch });

    private static Task<List<PartRecord>> PartsAsync(ServiceProvider ledger, JobId job) => ledger.GetRequiredService<JobParts>().ListAsync(job);

    private static Task<List<ItemResult>> RefusedAsync(ServiceProvider ledger, JobId job) => ledger.GetRequiredService<ResultReader>().PageAsync(job, new());

    /// <summary>Names of all items; their numbers must be those from 0 on.</summary>
    private static async Task<List<string>> NamesAsync(ServiceProvider ledger, JobId job)
    {
        List<ItemName> names = [];
        await foreach (var name in ledger.GetRequiredService<PartExpansion>().NamesAsync(job, int.MaxValue))
        {
            names.Add(name);
        }

        Assert.Equal(Enumerable.Range(0, (await ledger.GetRequiredService<JobReader>().ReadAsync(job)).ItemCount), names.Select(name => name.ItemNo));
        return names.ConvertAll(name => name.CustomId);
    }

    /// <summary>A disk that fails after the first ten records of a manifest.</summary>
    private sealed class BrokenSource(IJobSource source) : IJobSource
    {
        public async IAsyncEnumerable<SourceItem> ReadAsync(JobRequest request, string? position, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
        {
            var left = request.Source.Kind == SourceKind.Manifest ? 10 : int.MaxValue;
            await foreach (var item in source.ReadAsync(request, position, cancellation))
            {
                yield return left-- > 0 ? item : throw new IOException("The disk is gone.");
            }
        }
    }
}
