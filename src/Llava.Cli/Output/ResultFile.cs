using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Cli.Output;

/// <summary>Writes a job's results to a file or folder: aside first, then renamed, so that a reader never sees half a file.</summary>
internal sealed class ResultFile(ResultReader results)
{
    /// <summary>The format a name asks for: .jsonl, .csv, or .txt for a folder of sidecars.</summary>
    public static OutputFormat FormatOf(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".csv" => OutputFormat.Csv,
        ".jsonl" or ".ndjson" or ".json" => OutputFormat.Jsonl,
        "" => OutputFormat.Txt,
        var other => throw new UsageException($"'{path}' ends in '{other}'. Give a .jsonl or .csv file, a folder for one .txt per image, or say --format."),
    };

    public async Task WriteAsync(JobRecord job, string path, OutputFormat format, CancellationToken cancellationToken)
    {
        var target = Path.GetFullPath(path);
        if (format == OutputFormat.Txt)
        {
            await CopyAsync(job, new SidecarTexts(target, job.Request.Source.Path), cancellationToken);
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var aside = $"{target}.{Environment.ProcessId}.part";
        try
        {
            await using (var file = new StreamWriter(aside))
            {
                await CopyAsync(job, Writer(job, file, format), cancellationToken);
            }

            File.Move(aside, target, overwrite: true);
        }
        finally
        {
            File.Delete(aside);
        }
    }

    public Task WriteAsync(JobRecord job, TextWriter output, OutputFormat format, CancellationToken cancellationToken) =>
        CopyAsync(job, Writer(job, output, format), cancellationToken);

    private static IResultWriter Writer(JobRecord job, TextWriter output, OutputFormat format) => format switch
    {
        OutputFormat.Csv => new CsvResults(output, job.Request.Prompt),
        OutputFormat.Answers => new LlavaAnswers(output, ModelFolders.NameOf(job.Request.Model), job.Id, job.Request.Prompt),
        OutputFormat.Txt => throw new UsageException("One .txt per image needs a folder: say --out <folder>."),
        _ => new JsonLinesResults(output, ModelFolders.NameOf(job.Request.Model), job.Request.Prompt),
    };

    private async Task CopyAsync(JobRecord job, IResultWriter writer, CancellationToken cancellationToken)
    {
        await using (writer)
        {
            await foreach (var result in results.StreamAsync(job.Id, cancellation: cancellationToken))
            {
                await writer.WriteAsync(result, cancellationToken);
            }
        }
    }
}
