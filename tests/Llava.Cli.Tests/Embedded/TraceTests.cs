using System.Collections.Concurrent;
using System.Diagnostics;
using Llava.Cli.Embedded;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Contracts.Telemetry;
using Llava.Ledger.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Cli.Tests.Embedded;

/// <summary>One job through the whole embedded mode, with someone listening.</summary>
public sealed class TraceTests : IDisposable
{
    private const string Model = "null-20ms";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-trace-");
    private readonly ConcurrentQueue<Activity> _ended = [];

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task From_a_saved_result_one_comes_by_parents_and_links_to_the_submission()
    {
        using var listener = Listen();
        var job = await RunAsync(items: 40, chunkItems: 10);

        var submit = Assert.Single(_ended, span => span.OperationName == "submit job" && Is(span, job));
        var expand = Assert.Single(_ended, span => span.OperationName == "expand job" && Is(span, job));
        Assert.Equal(submit.Context, Assert.Single(expand.Links).Context, Same);
        var chunks = _ended.Where(span => span.OperationName == "run chunk" && Is(span, job)).ToList();
        Assert.Equal(4, chunks.Count);
        Assert.All(chunks, chunk =>
        {
            Assert.Equal(submit.Context, Assert.Single(chunk.Links).Context, Same);
            Assert.Contains(Ancestors(chunk), span => span.OperationName == "dispatch chunks");
            var parts = _ended.Where(span => span.ParentSpanId == chunk.SpanId).ToList();
            Assert.Contains(parts, span => span.OperationName == "save results");
            Assert.Equal(10, parts.Count(span => span.OperationName == "answer item"));
            Assert.All(parts, span => Assert.True(span.StartTimeUtc >= chunk.StartTimeUtc));
        });
        Assert.Equal(40, _ended.Where(span => span.OperationName == "answer item" && chunks.Exists(chunk => chunk.SpanId == span.ParentSpanId))
            .Select(span => span.GetTagItem(TelemetryTags.Item)).Distinct().Count());
    }

    [Fact]
    public async Task A_submission_inside_a_request_belongs_to_its_trace()
    {
        using var listener = Listen();
        using Activity request = new("a caller's request");
        request.Start();
        var job = await RunAsync(items: 1, chunkItems: 1);
        request.Stop();

        Assert.Equal(request.SpanId, Assert.Single(_ended, span => span.OperationName == "submit job" && Is(span, job)).ParentSpanId);
    }

    private static bool Same(ActivityContext one, ActivityContext other) => (one.TraceId, one.SpanId) == (other.TraceId, other.SpanId);

    private static bool Is(Activity span, JobId job) => (string?)span.GetTagItem(TelemetryTags.Job) == job.ToString();

    private IEnumerable<Activity> Ancestors(Activity span)
    {
        for (var at = span; at is not null; at = _ended.FirstOrDefault(other => other.SpanId == at.ParentSpanId))
        {
            yield return at;
        }
    }

    private ActivityListener Listen()
    {
        ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name.StartsWith("Llava.", StringComparison.Ordinal) || source.Name == "MassTransit",
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private async Task<JobId> RunAsync(int items, int chunkItems)
    {
        var source = Path.Combine(_folder.FullName, "items.jsonl");
        await File.WriteAllLinesAsync(source, Enumerable.Range(0, items).Select(i => $$"""{"id":"q{{i}}","prompt":"question {{i}}"}"""));
        JobRequest request = new() { Model = Model, ChunkItems = chunkItems, Source = new() { Kind = SourceKind.Manifest, Path = source } };
        await using var host = await EmbeddedHost.StartAsync(Path.Combine(_folder.FullName, "data"), request, [], default);
        var job = (await host.Services.GetRequiredService<JobSubmission>().SubmitAsync(request)).Id;
        var jobs = host.Services.GetRequiredService<JobReader>();
        for (var waited = Stopwatch.StartNew(); (await jobs.ReadAsync(job)).State != JobState.Completed;)
        {
            Assert.True(waited.Elapsed < Patience, $"The job is {(await jobs.ReadAsync(job)).State}.");
            await Task.Delay(20);
        }

        // Disposed first: the spans of the last chunk end after its results are there.
        return job;
    }
}
