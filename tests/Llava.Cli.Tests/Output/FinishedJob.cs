using Llava.Cli.Output;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger;
using Llava.Ledger.Chunks;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Cli.Tests.Output;

/// <summary>A folder with a ledger in it, and jobs whose results are what a test says.</summary>
public sealed class FinishedJob : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-output-");
    private readonly ServiceProvider _services;

    public FinishedJob() => _services = new ServiceCollection()
        .AddLlavaLedger(options => options.Configure(o => o.Location = In("ledger.db")))
        .BuildServiceProvider();

    /// <summary>The steps of every answer as a timeline writes them.</summary>
    public static IReadOnlyDictionary<string, long> Steps { get; } = new Dictionary<string, long> { ["prepared_ms"] = 100, ["prefill_ms"] = 120, ["first_token_ms"] = 123, ["last_token_ms"] = 4123 };

    internal ResultFile Results => new(job => _services.GetRequiredService<ResultReader>().StreamAsync(job));

    public string In(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>A job with one chunk of these items, of which those with a text were answered and those with a code failed; the rest waits.</summary>
    public async Task<JobRecord> AnswerAsync(JobRequest request, params (ItemSpec Item, string? Text, string? Code)[] items)
    {
        await _services.GetRequiredService<LedgerSetup>().PrepareAsync();
        var expansion = _services.GetRequiredService<JobExpansion>();
        var (job, _) = await _services.GetRequiredService<JobSubmission>().SubmitAsync(request);
        Assert.True(await expansion.AppendAsync(job, 0, [new([.. items.Select(item => new ExpandedItem(item.Item))], 1)], "end"));
        Assert.True(await expansion.FinishAsync(job));
        var claimed = await _services.GetRequiredService<ChunkLeases>().ClaimAsync(job, 0, 0, "w");
        var finished = items.Index().Where(item => item.Item.Text is not null || item.Item.Code is not null).Select(item => Finish(item.Index, item.Item.Text, item.Item.Code)).ToList();
        Assert.True(await _services.GetRequiredService<ResultWriter>().CommitAsync(claimed!.Lease, finished, completesChunk: finished.Count == items.Length, "r1"));
        var ending = _services.GetRequiredService<JobEnding>();
        await ending.AdvanceAsync();
        foreach (var ended in await ending.UnannouncedAsync())
        {
            await ending.AnnounceAsync(ended, _ => Task.CompletedTask);
        }

        return await _services.GetRequiredService<JobReader>().ReadAsync(job);
    }

    /// <summary>Writes the job's results and returns the file.</summary>
    internal async Task<string> WriteAsync(JobRecord job, OutputFormat format, string name = "out")
    {
        await Results.WriteAsync(job, In(name), format, default);
        return In(name);
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static FinishedItem Finish(int item, string? text, string? code) => code is not null ? FinishedItem.Failed(item, new(code, $"why {item}")) : new()
    {
        ItemNo = item,
        Outcome = ItemOutcome.Succeeded,
        Text = text,
        FinishReason = "stop",
        Usage = new(10, item, 2),
        Timings = new(100, 20, 3, 4000),
        Confidence = item == 0 ? null : 0.5,
    };
}
