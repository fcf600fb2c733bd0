using Llava.Cli.Output;
using Llava.Dashboard.Jobs;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Cli.Embedded;

/// <summary>Every format of <c>--format</c> that is one file, for the pages.</summary>
internal sealed class Exports(ResultReader results) : IJobExports
{
    private const string JsonLines = "application/x-ndjson";

    /// <inheritdoc/>
    public IReadOnlyList<ExportFormat> Formats { get; } =
    [
        new("jsonl", "JSON Lines", ".jsonl", JsonLines),
        new("csv", "CSV", ".csv", "text/csv"),
        new("parquet", "Parquet", ".parquet", "application/vnd.apache.parquet"),
        new("coco", "COCO captions", ".coco.json", "application/json"),
        new("webdataset", "WebDataset", ".tar", "application/x-tar"),
        new("answers", "LLaVA answers", ".answers.jsonl", JsonLines),
        new("openai", "OpenAI batch output", ".output.jsonl", JsonLines),
        new("openai-errors", "OpenAI batch errors", ".errors.jsonl", JsonLines),
        new("timeline", "JSON Lines with timelines", ".timeline.jsonl", JsonLines),
    ];

    /// <inheritdoc/>
    public async Task WriteAsync(JobRecord job, string format, Stream output, CancellationToken cancellationToken)
    {
        var chosen = OutputFormats.Names[format];
        ResultFile file = new(id => results.StreamAsync(id, cancellation: cancellationToken));
        if (chosen is not (OutputFormat.Parquet or OutputFormat.WebDataset))
        {
            await file.WriteAsync(job, output, chosen, cancellationToken);
            return;
        }

        // Their writers go back in the file, or write without waiting; a response can do neither.
        var aside = Path.Combine(Path.GetTempPath(), $"llava-{Guid.NewGuid():n}");
        try
        {
            await file.WriteAsync(job, aside, chosen, cancellationToken);
            await using var written = File.OpenRead(aside);
            await written.CopyToAsync(output, cancellationToken);
        }
        finally
        {
            File.Delete(aside);
        }
    }
}
