using System.IO.Pipelines;
using System.Text.Json;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Results;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Api;

/// <summary>
/// <c>GET /jobs/{id}/results</c>: a JSON object per line in the order of the items, read from the ledger a page at a time while it is sent, so
/// that a million results need no more memory than a page. What was cut off is gone on with after the last item that arrived.
/// </summary>
internal static class ResultsEndpoint
{
    private const int FlushBytes = 64 * 1024;

    public static void MapResults(this RouteGroupBuilder api) => api.MapGet("/jobs/{job}/results", StreamAsync).RequireRole(AccessRole.Viewer)
        .WithSummary("Streams the results of a job, a JSON object per line").Produces<ResultDocument>(StatusCodes.Status200OK, "application/x-ndjson");

    private static async Task<IResult> StreamAsync(
        Caller caller, JobReader jobs, ResultReader results, string job, string? after, string? outcome, string? code, CancellationToken cancellation)
    {
        var record = await caller.JobAsync(jobs, job, cancellation);
        ResultFilter filter = new()
        {
            After = after is null ? -1 : ApiQuery.Number("after", after, -1, int.MaxValue),
            Outcome = outcome is null ? null : ApiQuery.Name("outcome", outcome, ItemOutcomes.Table),
            ErrorCode = code,
        };
        return Results.Stream(stream => WriteAsync(stream, record, results, filter, cancellation), "application/x-ndjson");
    }

    /// <summary>Writes the results a filter chooses, a page at a time.</summary>
    internal static async Task WriteAsync(Stream stream, JobRecord job, ResultReader results, ResultFilter filter, CancellationToken cancellation)
    {
        var output = PipeWriter.Create(stream, new(minimumBufferSize: FlushBytes, leaveOpen: true));
        await using Utf8JsonWriter json = new(output);
        await foreach (var item in results.StreamAsync(job.Id, filter, cancellation))
        {
            JsonSerializer.Serialize(json, JobDocuments.Of(job.Request, item), RequestJson.Options);
            json.Reset();
            output.Write("\n"u8);
            if (output.UnflushedBytes >= FlushBytes)
            {
                await output.FlushAsync(cancellation);
            }
        }

        await output.CompleteAsync();
    }

    private static void Write(this PipeWriter output, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(output.GetSpan(bytes.Length));
        output.Advance(bytes.Length);
    }
}
