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

/// <summary>Jobs of a schedule that are asked about what is new, from real sources to results.</summary>
public sealed class ScheduleExpansionTests : SourceFolder, IAsyncLifetime
{
    private const string Name = "nightly";

    private ServiceProvider _ledger = null!;

    public Task InitializeAsync()
    {
        _ledger = new ServiceCollection()
            .AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(Outside, "ledger.db")))
            .BuildServiceProvider();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _ledger.DisposeAsync();

    [Fact]
    public async Task A_folder_gives_its_new_and_changed_files_only()
    {
        WriteImages("a.png", "b.png", "deep/c.png");
        await AddAsync(new() { Kind = SourceKind.Folder, Path = Root });
        Assert.Equal(["a.png", "b.png", "deep/c.png"], await RunAsync());

        WriteImages("deep/d.png");
        Write("a.png", "longer");
        File.SetLastWriteTimeUtc(Path.Combine(Root, "b.png"), DateTime.UnixEpoch);

        Assert.Equal(["a.png", "b.png", "deep/d.png"], await RunAsync());
        Assert.Empty(await RunAsync());
    }

    [Fact]
    public async Task A_manifest_gives_its_new_names_only_wherever_they_stand()
    {
        WriteImages("a.png");
        var path = Write("m.jsonl", """{"id":"x","image":"a.png"}""", """{"id":"y","image":"a.png"}""");
        await AddAsync(new() { Kind = SourceKind.Manifest, Path = path });
        Assert.Equal(["x", "y"], await RunAsync());

        Write("m.jsonl", """{"id":"z","image":"a.png"}""", """{"id":"y","image":"a.png"}""", """{"id":"x","image":"a.png"}""");

        Assert.Equal(["z"], await RunAsync());
    }

    [Fact]
    public async Task Records_without_a_name_are_known_by_what_they_say_not_by_their_place()
    {
        WriteImages("a.png", "b.png");
        var path = Write("m.csv", "image,question", "a.png,what", "b.png,what");
        await AddAsync(new() { Kind = SourceKind.Table, Path = path });
        Assert.Equal(["line-2", "line-3"], await RunAsync());

        Write("m.csv", "image,question", "b.png,why", "a.png,what", "b.png,what");

        Assert.Equal(["line-2"], await RunAsync());
    }

    [Fact]
    public async Task Questions_that_share_a_number_are_told_apart()
    {
        WriteImages("a.png");
        var path = Write("q.jsonl", """{"question_id":1,"image":"a.png","text":"What?"}""");
        await AddAsync(new() { Kind = SourceKind.Questions, Path = path });
        Assert.Single(await RunAsync());

        Write("q.jsonl", """{"question_id":1,"image":"a.png","text":"What?"}""", """{"question_id":1,"image":"a.png","text":"Why?"}""");

        Assert.Single(await RunAsync());
        Assert.Empty(await RunAsync());
    }

    [Fact]
    public async Task What_fails_is_asked_again_and_what_is_answered_then_no_more()
    {
        WriteImages("a.png", "b.png");
        await AddAsync(new() { Kind = SourceKind.Folder, Path = Root });
        Assert.Equal(["a.png", "b.png"], await RunAsync(failing: "b.png"));

        Assert.Equal(["b.png"], await RunAsync());
        Assert.Empty(await RunAsync());
    }

    [Fact]
    public async Task An_image_with_a_prompt_that_was_not_answered_is_asked_all_of_them_again()
    {
        WriteImages("a.png", "b.png");
        await AddAsync(new() { Kind = SourceKind.Folder, Path = Root }, "What?", "Why?");
        Assert.Equal(["a.png#1", "a.png#2", "b.png#1", "b.png#2"], await RunAsync(failing: "b.png#2"));

        Assert.Equal(["b.png#1", "b.png#2"], await RunAsync());
        Assert.Empty(await RunAsync());
    }

    [Fact]
    public async Task A_name_that_comes_twice_hides_neither_its_answer_nor_its_refusal()
    {
        WriteImages("a.png");
        var path = Write("m.jsonl", """{"id":"x","image":"a.png"}""", """{"id":"x","image":"a.png"}""");
        await AddAsync(new() { Kind = SourceKind.Manifest, Path = path });
        Assert.Equal(["x", "x"], await RunAsync());

        Assert.Empty(await RunAsync());
    }

    [Fact]
    public async Task An_expansion_killed_after_any_record_goes_on_without_a_gap_or_a_double()
    {
        const int Old = 30;
        const int All = 45;
        WriteImages([.. Enumerable.Range(0, All).Select(i => $"{i:00}.png")]);
        var path = Write("m.jsonl", Lines(i => i % 3 != 1));
        await AddAsync(new() { Kind = SourceKind.Manifest, Path = path }, "What?", "Why?");
        Assert.Equal(2 * Old, (await RunAsync()).Count);
        Write("m.jsonl", Lines(_ => true));
        List<string> expected = [.. Enumerable.Range(0, All).Where(i => i % 3 == 1).SelectMany(i => (string[])[$"{i:00}#1", $"{i:00}#2"])];
        for (var killedAfter = 0; killedAfter <= All; killedAfter++)
        {
            var job = await SubmitAsync();
            await Assert.ThrowsAsync<KilledException>(() => ExpandAsync(job, new KilledSource(new SourceReader(Roots), killedAfter)));
            await ExpandAsync(job, new SourceReader(Roots));

            Assert.Equal(expected, await AnswerAsync(job, failing: _ => true));
        }

        string[] Lines(Func<int, bool> isThere) => [.. Enumerable.Range(0, All).Where(isThere).Select(i => $$"""{"id":"{{i:00}}","image":"{{i:00}}.png"}""")];
    }

    [Fact]
    public async Task What_a_schedule_names_may_be_read_where_schedules_are_trusted_and_only_there()
    {
        var path = Path.Combine(Outside, "a.png");
        await File.WriteAllTextAsync(path, "");
        await AddAsync(new() { Kind = SourceKind.Folder, Path = Outside, Pattern = "*.png" });
        var refused = await SubmitAsync();
        await ExpandAsync(refused, new SourceReader(Roots));
        Assert.Equal("path_not_allowed", (await _ledger.GetRequiredService<JobReader>().ReadAsync(refused)).Failure!.Code);

        var roots = Roots;
        var job = await SubmitAsync();
        await new JobExpander(new SourceReader(roots), _ledger.GetRequiredService<JobExpansion>(), _ledger.GetRequiredService<PartExpansion>(), _ledger.GetRequiredService<ScheduleMemory>(), roots, new() { TrustSchedules = true })
            .ExpandAsync(await _ledger.GetRequiredService<JobReader>().ReadAsync(job), default);

        Assert.Equal(["a.png"], await AnswerAsync(job, _ => false));
        Assert.Throws<Hosting.Paths.PathNotAllowedException>(() => roots.Resolve(Path.GetDirectoryName(Outside)!, Root));
    }

    private Task<ScheduleRecord> AddAsync(SourceDescription source, params string[] prompts) => _ledger.GetRequiredService<ScheduleStore>().AddAsync(new()
    {
        Name = Name,
        Kind = source.Kind == SourceKind.Questions ? ScheduleKind.Vqa : ScheduleKind.Annotate,
        Cron = "0 2 * * *",
        OnlyNew = true,
        Overlap = ScheduleOverlap.Queue,
        Request = new() { Model = "m", Source = source, Prompt = prompts.Length > 0 || source.Kind == SourceKind.Questions ? null : "What?", Prompts = prompts, ChunkItems = 3 },
    });

    /// <summary>Runs the schedule to the end of its job; names of what the job was asked.</summary>
    private async Task<List<string>> RunAsync(string? failing = null)
    {
        var job = await SubmitAsync();
        await ExpandAsync(job, new SourceReader(Roots));
        return await AnswerAsync(job, name => name == failing);
    }

    /// <summary>A run by hand is known by its moment, so two may not fall into the same millisecond.</summary>
    private async Task<JobId> SubmitAsync()
    {
        JobId? before = (await _ledger.GetRequiredService<ScheduleStore>().ReadAsync("default", Name)).LastJob;
        JobId? job;
        do
        {
            job = (await _ledger.GetRequiredService<ScheduleFiring>().RunAsync("default", Name)).Job;
        }
        while (job == before);
        return job!.Value;
    }

    private async Task ExpandAsync(JobId job, IJobSource source) =>
        await new JobExpander(source, _ledger.GetRequiredService<JobExpansion>(), _ledger.GetRequiredService<PartExpansion>(), _ledger.GetRequiredService<ScheduleMemory>(), Roots, new() { ExpansionBatch = 4 })
            .ExpandAsync(await _ledger.GetRequiredService<JobReader>().ReadAsync(job), default);

    private async Task<List<string>> AnswerAsync(JobId job, Func<string, bool> failing)
    {
        foreach (var chunk in await _ledger.GetRequiredService<ChunkDispatch>().WaitingAsync(job, 1000))
        {
            var claimed = (await _ledger.GetRequiredService<ChunkLeases>().ClaimAsync(job, chunk.ChunkNo, 0, "w"))!;
            Assert.True(await _ledger.GetRequiredService<ResultWriter>().CommitAsync(claimed.Lease, [.. claimed.Items.Select(item => failing(item.CustomId)
                ? FinishedItem.Failed(item.ItemNo, new("image_broken", "It cannot be decoded."))
                : new FinishedItem { ItemNo = item.ItemNo, Outcome = ItemOutcome.Succeeded, Text = "a ball" })], completesChunk: true, "r1"));
        }

        await _ledger.GetRequiredService<JobEnding>().AdvanceAsync();
        return [.. (await _ledger.GetRequiredService<ResultReader>().PageAsync(job, new() { Limit = 1000 })).OrderBy(result => result.ItemNo).Select(result => result.CustomId)];
    }
}
