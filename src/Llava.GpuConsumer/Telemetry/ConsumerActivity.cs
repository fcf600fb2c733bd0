using System.Diagnostics;
using Llava.Contracts.Telemetry;
using Llava.GpuConsumer.Chunks;
using Llava.GpuConsumer.Runners;
using Llava.Ledger.Chunks;
using Llava.Ledger.Results;

namespace Llava.GpuConsumer.Telemetry;

/// <summary>Spans of the consumer; every method gives null, and makes nothing, when nobody listens.</summary>
internal static class ConsumerActivity
{
    private static readonly ActivitySource Source = new(TelemetrySources.Consumer);

    /// <summary>A part of the work around it, such as a claim.</summary>
    public static Activity? Start(string name) => Source.StartActivity(name);

    /// <summary>A claimed chunk, to its end or its next try. It belongs to the trace of the message that asked for it, and links to the submission of its job.</summary>
    public static Activity? StartChunk(ChunkLease lease, JobInWork job)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        ActivityTagsCollection tags = new()
        {
            [TelemetryTags.Job] = lease.Job.ToString(),
            [TelemetryTags.Chunk] = lease.ChunkNo,
            [TelemetryTags.Attempt] = lease.Attempt,
            [TelemetryTags.Model] = ModelTag.Of(job.Request.Model),
        };
        ActivityLink[] links = job.Submitted is { } submitted ? [new(submitted)] : [];
        return Source.StartActivity("run chunk", ActivityKind.Internal, default(ActivityContext), tags, links);
    }

    /// <summary>One item of the chunk: preparation, prefill and decode.</summary>
    public static Activity? StartItem(ClaimedItem item) => Source.StartActivity("answer item")?.SetTag(TelemetryTags.Item, item.ItemNo);

    /// <summary>
    /// Adds the phases that the engine measured, ending now. After the fact, because the engine runs many items in each step
    /// and its thread has better things to do than to keep spans.
    /// </summary>
    public static void AddPhases(Activity? item, ItemAnswer answer)
    {
        if (item is null || answer.Timings is not { } timings)
        {
            return;
        }

        var end = DateTime.UtcNow;
        var (decoded, prefilled) = (end.AddMilliseconds(-timings.DecodeMs), end.AddMilliseconds(-timings.DecodeMs - timings.PrefillMs));
        Add("wait for slot", prefilled.AddMilliseconds(-timings.QueueMs), prefilled);
        Add("prefill", prefilled, decoded);
        Add("decode", decoded, end);

        void Add(string name, DateTime from, DateTime to) =>
            Source.StartActivity(name, ActivityKind.Internal, item.Context, startTime: from)?.SetEndTime(to).Dispose();
    }

    /// <summary>Says how the item ended.</summary>
    public static void End(Activity? item, FinishedItem? finished)
    {
        item?.SetTag(TelemetryTags.Outcome, finished is null ? null : Contracts.States.ItemOutcomes.WireName(finished.Outcome));
        if (finished?.Failure is { } failure)
        {
            item?.SetTag(TelemetryTags.Error, failure.Code).SetStatus(ActivityStatusCode.Error, failure.Message);
        }
    }
}
