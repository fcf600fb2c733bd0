using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Llava.Hosting.Health;

/// <summary>
/// What <c>/health</c> says: a status, and for each check its own, how long it took, and what it adds. Nothing else: what a check
/// throws may name hosts and users, and goes to the log.
/// </summary>
public static class HealthJson
{
    /// <summary>Tag of the checks whose details are shown; those of libraries name queues and exceptions and are not.</summary>
    internal const string DetailsTag = "details";

    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Writes the report as JSON.</summary>
    public static Task WriteAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(
            new
            {
                Status = Word(report.Status),
                Checks = report.Entries.ToDictionary(entry => entry.Key, entry => Describe(entry.Value)),
            },
            Options,
            context.RequestAborted);

    private static Dictionary<string, object> Describe(HealthReportEntry entry)
    {
        Dictionary<string, object> described = new() { ["status"] = Word(entry.Status), ["duration_ms"] = Math.Round(entry.Duration.TotalMilliseconds, 1) };
        if (entry.Tags.Contains(DetailsTag))
        {
            foreach (var (name, value) in entry.Data)
            {
                described[name] = value;
            }
        }

        return described;
    }

    private static string Word(HealthStatus status) => status.ToString().ToLowerInvariant();
}
