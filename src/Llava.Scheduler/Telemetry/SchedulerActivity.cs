using System.Diagnostics;
using Llava.Contracts.Telemetry;
using Llava.Ledger.Jobs;

namespace Llava.Scheduler.Telemetry;

/// <summary>Spans of the scheduler; every method gives null, and makes nothing, when nobody listens.</summary>
internal static class SchedulerActivity
{
    private static readonly ActivitySource Source = new(TelemetrySources.Scheduler);

    /// <summary>Reading a job's source. The loop that found the job is not its cause: a trace of its own, linked to the submission.</summary>
    public static Activity? StartExpand(JobRecord job)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        ActivityTagsCollection tags = new() { [TelemetryTags.Job] = job.Id.ToString(), [TelemetryTags.Model] = ModelTag.Of(job.Request.Model) };
        ActivityLink[] links = ActivityContext.TryParse(job.TraceParent, null, isRemote: true, out var submitted) ? [new(submitted)] : [];
        return Source.StartActivity("expand job", ActivityKind.Internal, default(ActivityContext), tags, links);
    }

    /// <summary>Chunks of one model going out, of several jobs perhaps; the messages carry its context to the consumers.</summary>
    public static Activity? StartDispatch(string model) => Source.StartActivity("dispatch chunks")?.SetTag(TelemetryTags.Model, ModelTag.Of(model));
}
