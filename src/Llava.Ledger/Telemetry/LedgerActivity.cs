using System.Diagnostics;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.Telemetry;

namespace Llava.Ledger.Telemetry;

/// <summary>Spans of the ledger.</summary>
internal static class LedgerActivity
{
    private static readonly ActivitySource Source = new(TelemetrySources.Ledger);

    /// <summary>
    /// The span of a submission, null when nobody listens. The job keeps its context: everything that is done for the job later, in
    /// whatever process, links to it. Links and not one trace, because a job of a million items would be a trace of millions of
    /// spans over days, which no store shows and no sampler can decide about at its beginning; so each chunk is a trace of its own.
    /// </summary>
    public static Activity? StartSubmit(JobId job, JobRequest request) => Source.StartActivity("submit job", ActivityKind.Producer)
        ?.SetTag(TelemetryTags.Job, job.ToString())
        .SetTag(TelemetryTags.Model, ModelTag.Of(request.Model));
}
