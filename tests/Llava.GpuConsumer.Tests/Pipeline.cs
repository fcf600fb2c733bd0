using System.Globalization;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.GpuConsumer.Runners;
using Llava.Hosting.Transport;
using Llava.Ledger;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Signals;
using Llava.Scheduler;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Llava.GpuConsumer.Tests;

/// <summary>The whole pipeline in one process on a ledger file of its own: scheduler, in-memory transport, consumer.</summary>
internal sealed class Pipeline : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly string _folder = Directory.CreateTempSubdirectory("llava-pipeline-").FullName;
    private IHost? _host;
    private int _manifests;

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero)) { AutoAdvanceAmount = TimeSpan.FromMilliseconds(1) };

    /// <summary>Where sources may lie.</summary>
    public string Folder => _folder;

    public JobReader Jobs => Get<JobReader>();

    public JobControl Control => Get<JobControl>();

    public T Get<T>()
        where T : notnull => _host!.Services.GetRequiredService<T>();

    public async Task StartAsync(IItemRunnerFactory runners, string model = ScriptedRunner.Name, Action<ConsumerOptions>? consumer = null, Action<LedgerOptions>? ledger = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration["Llava:Transport:Drain"] = "00:00:00";
        builder.Logging.SetMinimumLevel(LogLevel.Critical);
        builder.Services.AddSingleton<TimeProvider>(Clock);
        builder.Services.AddSingleton(runners);
        builder.Services.AddLlavaLedger(options => options.Configure(o =>
        {
            o.Location = Path.Combine(_folder, "ledger.db");
            ledger?.Invoke(o);
        }));
        builder.Services.AddLlavaScheduler(options => options.Configure(o =>
        {
            o.ImageRoots = [_folder];
            o.ExpansionBatch = 256;
        }));
        builder.Services.AddLlavaConsumer(options => options.Configure(o =>
        {
            o.Models = [model];
            o.Retries = 0;
            consumer?.Invoke(o);
        }));
        builder.Services.AddLlavaTransport(builder.Configuration);
        _host = builder.Build();
        await _host.StartAsync();
    }

    /// <summary>Ends as a killed process does as far as the ledger can tell: nothing is drained, nothing is given back.</summary>
    public async Task CrashAsync()
    {
        await ((IAsyncDisposable)_host!).DisposeAsync();
        _host = null;
    }

    public async Task StopAsync()
    {
        await _host!.StopAsync();
        await CrashAsync();
    }

    /// <summary>Submits a manifest of text-only questions, numbered; a file of its own, for an earlier job may still be reading its.</summary>
    public async Task<JobId> SubmitAsync(int items, string model = ScriptedRunner.Name, int chunkItems = 8, Func<JobRequest, JobRequest>? change = null)
        => await SubmitAsync($"{_manifests++}.jsonl", Enumerable.Range(0, items).Select(i => string.Create(CultureInfo.InvariantCulture, $$"""{"id":"q{{i}}","prompt":"question {{i}}"}""")), model, chunkItems, change);

    /// <summary>Submits a manifest of these lines.</summary>
    public async Task<JobId> SubmitAsync(string name, IEnumerable<string> lines, string model = ScriptedRunner.Name, int chunkItems = 8, Func<JobRequest, JobRequest>? change = null)
    {
        var manifest = In(name);
        await File.WriteAllLinesAsync(manifest, lines);
        JobRequest request = new() { Model = model, ChunkItems = chunkItems, Source = new() { Kind = SourceKind.Manifest, Path = manifest } };
        return (await Get<JobSubmission>().SubmitAsync((change ?? (same => same))(request))).Id;
    }

    /// <summary>A path in this pipeline's folder, from which images may be read.</summary>
    public string In(string name) => Path.Combine(_folder, name);

    /// <summary>Waits until the job is in <paramref name="state"/>.</summary>
    public async Task<JobRecord> WaitForAsync(JobId job, JobState state)
    {
        using var listener = Get<ILedgerSignal>().Listen(Enum.GetValues<LedgerTopic>());
        using CancellationTokenSource patience = new(Patience);
        while (true)
        {
            var record = await Jobs.ReadAsync(job, patience.Token);
            if (record.State == state)
            {
                return record;
            }

            Assert.False(record.State.IsFinal(), $"The job is {record.State} ({record.Failure?.Message}) and not {state}.");

            // The clock of this test stands nearly still, so polls only happen when it is moved.
            Clock.Advance(TimeSpan.FromMilliseconds(100));
            using var real = CancellationTokenSource.CreateLinkedTokenSource(patience.Token);
            await Task.WhenAny(listener.WaitAsync(Timeout.InfiniteTimeSpan, real.Token), Task.Delay(20, patience.Token));
            await real.CancelAsync();
        }
    }

    public async Task<List<ItemResult>> ResultsAsync(JobId job)
    {
        List<ItemResult> all = [];
        await foreach (var result in Get<ResultReader>().StreamAsync(job))
        {
            all.Add(result);
        }

        return all;
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await StopAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Checks that each of numbered questions has its answer, once and in order.</summary>
    public async Task AssertAllAnsweredAsync(JobId job, int items)
    {
        var results = await ResultsAsync(job);
        Assert.Equal(Enumerable.Range(0, items), results.Select(result => result.ItemNo));
        Assert.All(results, result =>
        {
            Assert.Equal(ItemOutcome.Succeeded, result.Result.Outcome);
            Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"question {result.ItemNo}"), result.Result.Text);
            Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"q{result.ItemNo}"), result.CustomId);
        });
    }
}
