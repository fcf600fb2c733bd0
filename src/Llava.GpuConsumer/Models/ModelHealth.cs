using Llava.Ledger.Workers;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Llava.GpuConsumer.Models;

/// <summary>
/// Whether a consumer is ready. Healthy: every model that is loaded at the start has answered a question. Degraded: some model
/// cannot be loaded, others answer. Unhealthy: it is still starting, an engine stands still, or no model can be loaded.
/// </summary>
internal static class ModelHealth
{
    /// <summary>The verdict, with the standing of each model.</summary>
    /// <param name="standings">The models.</param>
    /// <param name="isAnnounced">Whether the scheduler knows this worker.</param>
    public static HealthCheckResult Of(IReadOnlyList<ModelStanding> standings, bool isAnnounced)
    {
        Dictionary<string, object> details = new() { ["models"] = standings.Select(Describe).ToList() };
        var isStarting = !isAnnounced || standings.Any(standing => standing.IsPreloaded && !standing.IsTriedOut && standing.Served.Failure is null);
        var stands = standings.Any(standing => standing.IsTriedOut && standing.Served.State == ModelState.Failed);
        return isStarting || stands || standings.All(standing => standing.Served.Failure is not null) ? HealthCheckResult.Unhealthy(data: details)
            : standings.Any(standing => standing.Served.Failure is not null) ? HealthCheckResult.Degraded(data: details)
            : HealthCheckResult.Healthy(data: details);
    }

    // Without folders and reasons: whoever may ask for /health need not know this machine's. The log and the workers table have them.
    private static object Describe(ModelStanding standing) => new
    {
        name = Path.GetFileName(Path.TrimEndingDirectorySeparator(standing.Served.Name)),
        revision = standing.Served.Revision,
        state = standing.Served.State,
        memory_bytes = standing.Served.MemoryBytes,
        is_preloaded = standing.IsPreloaded,
        is_tried_out = standing.IsTriedOut,
        trial = standing.Trial is { Timings: { } timings } trial ? new { tokens = trial.Usage.CompletionTokens, prefill_ms = timings.PrefillMs, decode_ms = timings.DecodeMs } : null,
    };
}
