using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger.Chunks;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Storage;
using Llava.Ledger.Workers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Llava.Ledger.Tests;

/// <summary>A ledger of its own for one test, on a real database, with a clock that only moves when told to.</summary>
public abstract class LedgerFixture(TestDatabase database) : IAsyncLifetime
{
    private ServiceProvider _services = null!;

    protected const string Model = "scenes";

    protected FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    protected IServiceProvider Services => _services;

    protected TestDatabase TestDatabase => database;

    protected LedgerOptions Options => Get<Microsoft.Extensions.Options.IOptions<LedgerOptions>>().Value;

    protected JobSubmission Submission => Get<JobSubmission>();

    protected JobControl Control => Get<JobControl>();

    protected JobReader Jobs => Get<JobReader>();

    protected JobEnding Ending => Get<JobEnding>();

    protected JobExpansion Expansion => Get<JobExpansion>();

    protected ChunkDispatch Dispatch => Get<ChunkDispatch>();

    protected ChunkLeases Leases => Get<ChunkLeases>();

    protected LeaseSweep Sweep => Get<LeaseSweep>();

    protected ResultWriter Writer => Get<ResultWriter>();

    protected ResultReader Results => Get<ResultReader>();

    protected WorkerRegistry Workers => Get<WorkerRegistry>();

    internal LedgerDatabase Database => Get<LedgerDatabase>();

    public virtual async Task InitializeAsync()
    {
        await database.CreateAsync();
        await StartAsync();
    }

    public virtual async Task DisposeAsync()
    {
        await _services.DisposeAsync();
        await database.DropAsync();
    }

    /// <summary>Ends the process as far as the ledger can tell, and opens the same database in the next one.</summary>
    protected async Task RestartAsync()
    {
        await _services.DisposeAsync();
        await StartAsync();
    }

    /// <summary>A second process on the same database.</summary>
    protected ServiceProvider Open() => new ServiceCollection()
        .AddSingleton<TimeProvider>(Clock)
        .AddSingleton(new LedgerClock(Clock, followsServer: false))
        .AddLlavaLedger(options => options.Configure(database.Configure))
        .BuildServiceProvider();

    private async Task StartAsync()
    {
        _services = Open();
        await Get<LedgerSetup>().PrepareAsync();
    }

    protected T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    /// <summary>Publishes to nobody.</summary>
    protected Task PublishAsync(IReadOnlyList<WaitingChunk> chunks) => Dispatch.MarkPublishedAsync(chunks);

    protected static JobRequest Request(int chunkItems = 4) =>
        new() { Model = Model, Prompt = "Describe.", Source = new() { Kind = SourceKind.Folder, Path = "images" }, ChunkItems = chunkItems };

    /// <summary>A queued job of this many items.</summary>
    protected async Task<JobId> QueueJobAsync(int items, int chunkItems = 4, Func<JobRequest, JobRequest>? change = null)
    {
        var (job, _) = await Submission.SubmitAsync((change ?? (request => request))(Request(chunkItems)));
        Assert.True(await Expansion.AppendAsync(job, 0, Chunks(0, items, chunkItems), "end"));
        Assert.True(await Expansion.FinishAsync(job));
        return job;
    }

    protected static List<ExpandedChunk> Chunks(int first, int items, int chunkItems) =>
        [.. Enumerable.Range(first, items).Select(Item).Chunk(chunkItems).Select(chunk => new ExpandedChunk(chunk, 100 * chunk.Length))];

    protected static ExpandedItem Item(int number) => new(new($"item-{number}", [$"{number}.jpg"]));

    protected async Task<ChunkLease?> ClaimAsync(JobId job, int chunk, int attempt = 0, string owner = "w") =>
        (await Leases.ClaimAsync(job, chunk, attempt, owner))?.Lease;

    /// <summary>Answers every item of the lease that has no result.</summary>
    protected async Task<bool> AnswerAsync(ChunkLease lease, string text = "a red ball") =>
        await Writer.CommitAsync(lease, [.. (await Leases.MissingItemsAsync(lease)).Select(item => Answer(item.ItemNo, text))], completesChunk: true, "r1");

    protected static FinishedItem Answer(int item, string text = "a red ball") => new()
    {
        ItemNo = item,
        Outcome = Contracts.States.ItemOutcome.Succeeded,
        Text = text,
        FinishReason = "stop",
        Usage = new(10, 5, 2),
        Timings = new(1, 2, 3),
        Confidence = 0.5,
    };

    protected async Task<List<ItemResult>> AllResultsAsync(JobId job)
    {
        List<ItemResult> all = [];
        await foreach (var result in Results.StreamAsync(job))
        {
            all.Add(result);
        }

        return all;
    }
}
