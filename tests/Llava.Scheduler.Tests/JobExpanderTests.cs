using System.Runtime.CompilerServices;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger;
using Llava.Ledger.Chunks;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Scheduler.Expansion;
using Llava.Scheduler.Sources;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Scheduler.Tests;

public sealed class JobExpanderTests : SourceFolder
{
    private static readonly SchedulerOptions Options = new() { ExpansionBatch = 8 };

    [Fact]
    public async Task An_expansion_killed_after_any_item_goes_on_without_a_gap_or_a_double()
    {
        const int Items = 45;
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
        var path = Write("m.jsonl", """{"image":"a.png"}""", """{"image":"b.png","prompt":"?"}""");
        var job = await SubmitAsync(ledger, new() { Kind = SourceKind.Manifest, Path = path });

        await ExpandAsync(ledger, job, new SourceReader(Roots));

        var rejected = Assert.Single(await ledger.GetRequiredService<ResultReader>().PageAsync(job, new()));
        Assert.Equal((0, JobExpander.NoPrompt), (rejected.ItemNo, rejected.Result.Failure!.Code));
    }

    private ServiceProvider Open() => new ServiceCollection()
        .AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(Outside, $"{Guid.NewGuid():n}.db")))
        .BuildServiceProvider();

    private static async Task<JobId> SubmitAsync(ServiceProvider ledger, SourceDescription source) =>
        (await ledger.GetRequiredService<JobSubmission>().SubmitAsync(new() { Model = "m", Source = source, ChunkItems = 4 })).Id;

    private static async Task ExpandAsync(ServiceProvider ledger, JobId job, IJobSource source)
    {
        var record = await ledger.GetRequiredService<JobReader>().ReadAsync(job);
        await new JobExpander(source, ledger.GetRequiredService<JobExpansion>(), Options).ExpandAsync(record, default);
    }

    /// <summary>Names of all items in order, as claims and results show them; their chunks must not overlap.</summary>
    private static async Task<List<string>> AllItemsAsync(ServiceProvider ledger, JobId job)
    {
        SortedDictionary<int, string> items = [];
        foreach (var chunk in await ledger.GetRequiredService<ChunkDispatch>().WaitingAsync(job, 1000))
        {
            foreach (var item in (await ledger.GetRequiredService<ChunkLeases>().ClaimAsync(job, chunk.ChunkNo, 0, "w"))!.Items)
            {
                items.Add(item.ItemNo, item.CustomId);
            }
        }

        foreach (var result in await ledger.GetRequiredService<ResultReader>().PageAsync(job, new() { Limit = 1000 }))
        {
            items.Add(result.ItemNo, result.CustomId);
        }

        return [.. items.Values];
    }

    /// <summary>A source whose reader dies after some items.</summary>
    private sealed class KilledSource(IJobSource source, int after) : IJobSource
    {
        public async IAsyncEnumerable<SourceItem> ReadAsync(SourceDescription description, string? position, [EnumeratorCancellation] CancellationToken cancellation)
        {
            var left = after;
            await foreach (var item in source.ReadAsync(description, position, cancellation))
            {
                if (left-- == 0)
                {
                    throw new KilledException();
                }

                yield return item;
            }

            throw new KilledException();
        }
    }

    private sealed class KilledException : Exception;
}
