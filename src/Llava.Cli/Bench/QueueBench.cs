using System.Diagnostics;
using System.Globalization;
using Llava.Cli.Embedded;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.GpuConsumer;
using Llava.GpuConsumer.Runners;
using Llava.Hosting.Transport;
using Llava.Ledger;
using Llava.Ledger.Chunks;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Storage;
using Llava.Scheduler;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Llava.Cli.Bench;

/// <summary>
/// The pipeline without a model: a manifest is submitted, expanded, dispatched, answered by the null model and recorded, in one
/// process, on whatever transport and ledger are configured. Beside it, in the same run, what the ledger does without the
/// messages around it.
/// </summary>
internal sealed class QueueBench : IAsyncDisposable
{
    /// <summary>A model that no worker serves: its chunks are the baseline's.</summary>
    private const string BaselineModel = "served-by-the-benchmark";

    private const int ConcurrentChunks = 16;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-bench-");
    private readonly int _items;
    private readonly int _chunkItems;
    private readonly IHost _host;

    public QueueBench(int items, int chunkItems)
    {
        (_items, _chunkItems) = (items, chunkItems);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddEnvironmentVariables();
        builder.Logging.AddWarningsToStandardError();
        builder.Services.AddLlavaLedger(options => options.BindLedger(builder.Configuration, _folder.FullName));
        builder.Services.AddLlavaScheduler(options => options.Configure(o => o.ImageRoots = [_folder.FullName]));
        builder.Services.PlaceFiles(_folder.FullName);
        builder.Services.AddLlavaConsumer(options => options.Configure(o => o.Models = [NullItemRunner.ModelName]));
        builder.Services.AddLlavaTransport(builder.Configuration);
        _host = builder.Build();
    }

    /// <summary>
    /// Runs a job that does not count, for a service runs for months and its code is compiled for good only after some seconds of
    /// work; then the pipeline and the baseline in turn.
    /// </summary>
    public async Task<QueueFigures> RunAsync(int rounds, CancellationToken cancellation)
    {
        await Get<LedgerSetup>().PrepareAsync();
        await _host.StartAsync(cancellation);
        await RunPipelineAsync(_items, cancellation);
        await RunLedgerAloneAsync(_items, cancellation);
        List<PipelineTimes> pipeline = [];
        List<double> baseline = [];
        for (var round = 0; round < rounds; round++)
        {
            pipeline.Add(await RunPipelineAsync(_items, cancellation));
            baseline.Add(await RunLedgerAloneAsync(_items, cancellation));
        }

        var median = pipeline.OrderBy(times => times.Total).ElementAt(rounds / 2);
        var ledgerAlone = baseline.Order().ElementAt(rounds / 2);
        var perSecond = _items / median.Total.TotalSeconds;
        return new()
        {
            Transport = Get<IOptions<TransportOptions>>().Value.Kind.ToString(),
            Ledger = PostgresAddress.Find(Get<LedgerOptions>()) is null ? "SQLite" : "PostgreSQL",
            Items = _items,
            ChunkItems = _chunkItems,
            Rounds = rounds,
            SubmitMilliseconds = median.Submit.TotalMilliseconds,
            ExpandSeconds = median.Expand.TotalSeconds,
            TotalSeconds = median.Total.TotalSeconds,
            ItemsPerSecond = perSecond,
            LedgerAloneItemsPerSecond = ledgerAlone,
            ShareOfLedgerAlone = perSecond / ledgerAlone,
            CpuSecondsPer100kItems = median.Cpu.TotalSeconds * 100_000 / _items,
            PeakMegabytes = Process.GetCurrentProcess().PeakWorkingSet64 >> 20,
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private T Get<T>()
        where T : notnull => _host.Services.GetRequiredService<T>();

    private async Task<PipelineTimes> RunPipelineAsync(int items, CancellationToken cancellation)
    {
        var request = Request(items, NullItemRunner.ModelName);
        var (clock, cpu) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        var job = (await Get<JobSubmission>().SubmitAsync(request, cancellation)).Id;
        var submitted = clock.Elapsed;
        await WaitAsync(job, record => record.ExpandedAt is not null, cancellation);
        var expanded = clock.Elapsed;
        await WaitAsync(job, record => record.State.IsFinal(), cancellation);
        return new(submitted, expanded, clock.Elapsed, Environment.CpuUsage.TotalTime - cpu);
    }

    /// <summary>Claims and records every chunk of an expanded job from as many tasks as a consumer has; items per second, expansion not counted.</summary>
    private async Task<double> RunLedgerAloneAsync(int items, CancellationToken cancellation)
    {
        var job = (await Get<JobSubmission>().SubmitAsync(Request(items, BaselineModel), cancellation)).Id;
        await WaitAsync(job, record => record.ExpandedAt is not null, cancellation);
        var clock = Stopwatch.StartNew();
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, ConcurrentChunks).Select(_ => Task.Run(
            async () =>
            {
                while (await Get<ChunkLeases>().ClaimAsync(job, Interlocked.Increment(ref next), 0, "benchmark", cancellation) is { } chunk)
                {
                    List<FinishedItem> answers = [.. chunk.Items.Select(item => new FinishedItem { ItemNo = item.ItemNo, Outcome = ItemOutcome.Succeeded, Text = item.Prompt, FinishReason = "stop" })];
                    await Get<ResultWriter>().CommitAsync(chunk.Lease, answers, completesChunk: true);
                }
            },
            cancellation)));
        var elapsed = clock.Elapsed;
        await WaitAsync(job, record => record.State.IsFinal(), cancellation);
        return items / elapsed.TotalSeconds;
    }

    private JobRequest Request(int items, string model)
    {
        var path = Path.Combine(_folder.FullName, $"{items}.jsonl");
        if (!File.Exists(path))
        {
            File.WriteAllLines(path, Enumerable.Range(0, items).Select(i => string.Create(CultureInfo.InvariantCulture, $$"""{"id":"q{{i}}","prompt":"question {{i}}"}""")));
        }

        return new() { Model = model, ChunkItems = _chunkItems, Source = new() { Kind = SourceKind.Manifest, Path = path } };
    }

    private async Task WaitAsync(JobId job, Func<JobRecord, bool> isReached, CancellationToken cancellation)
    {
        while (!isReached(await Get<JobReader>().ReadAsync(job, cancellation)))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), cancellation);
        }
    }

    private sealed record PipelineTimes(TimeSpan Submit, TimeSpan Expand, TimeSpan Total, TimeSpan Cpu);
}

/// <summary>What was measured; the median round where there are several.</summary>
internal sealed record QueueFigures
{
    public required string Transport { get; init; }

    public required string Ledger { get; init; }

    public required int Items { get; init; }

    public required int ChunkItems { get; init; }

    public required int Rounds { get; init; }

    /// <summary>Until the submit call returned.</summary>
    public required double SubmitMilliseconds { get; init; }

    /// <summary>From the submission until every item is in the ledger.</summary>
    public required double ExpandSeconds { get; init; }

    /// <summary>From the submission until the job is over.</summary>
    public required double TotalSeconds { get; init; }

    /// <summary>Items by <see cref="TotalSeconds"/>.</summary>
    public required double ItemsPerSecond { get; init; }

    /// <summary>Baseline of the same run: claims and results without expansion, messages and runner.</summary>
    public required double LedgerAloneItemsPerSecond { get; init; }

    public required double ShareOfLedgerAlone { get; init; }

    /// <summary>Of this process; servers are not in it.</summary>
    public required double CpuSecondsPer100kItems { get; init; }

    public required long PeakMegabytes { get; init; }
}
