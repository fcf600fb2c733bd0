using Llava.Dashboard.Api;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Dashboard.Jobs;

/// <summary>The API's own lines as a file, for a host that has no other formats.</summary>
internal sealed class DocumentExport(ResultReader results) : IJobExports
{
    public IReadOnlyList<ExportFormat> Formats { get; } = [new("jsonl", "JSON Lines", ".jsonl", "application/x-ndjson")];

    public Task WriteAsync(JobRecord job, string format, Stream output, CancellationToken cancellationToken) =>
        ResultsEndpoint.WriteAsync(output, job, results, new(), cancellationToken);
}
