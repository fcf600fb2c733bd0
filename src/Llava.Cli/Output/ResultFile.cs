using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Cli.Output;

/// <summary>
/// Writes a job's results to a file or folder: aside first, then renamed, so that a reader never sees half a file. Where the format
/// is lines and the job is over, what an interrupted writing left aside is gone on with.
/// </summary>
/// <param name="resultsOf">All results of a job, in the order of its items.</param>
internal sealed class ResultFile(Func<JobId, IAsyncEnumerable<ItemResult>> resultsOf)
{
    /// <summary>The file that is written aside. A job that was tried again ends at another time, and what was written before is of no use then.</summary>
    public static string AsideOf(JobRecord job, string target) => $"{target}.{job.Id}{(job.FinishedAt is { } end ? $"-{end.ToUnixTimeMilliseconds()}" : "")}.part";

    public async Task WriteAsync(JobRecord job, string path, OutputFormat format, CancellationToken cancellationToken)
    {
        var target = Path.GetFullPath(path);
        if (format == OutputFormat.Txt)
        {
            await CopyAsync(job, new SidecarTexts(target, job.Request), 0, cancellationToken);
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var aside = AsideOf(job, target);
        var canGoOn = format.IsLines() && job.State.IsFinal();
        try
        {
            await using (FileStream file = new(aside, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
            {
                var (length, records) = canGoOn ? WholeRecords.In(file, format) : default;
                file.SetLength(length);
                file.Position = length;
                await CopyAsync(job, Writer(job, file, format), records, cancellationToken);
            }

            File.Move(aside, target, overwrite: true);
        }
        catch when (!canGoOn)
        {
            File.Delete(aside);
            throw;
        }
    }

    public Task WriteAsync(JobRecord job, Stream output, OutputFormat format, CancellationToken cancellationToken) => format switch
    {
        OutputFormat.Txt => throw new UsageException("One .txt per image needs a folder: say --out <folder>."),
        OutputFormat.Parquet => throw new UsageException("A Parquet file is not written to standard output: say --out <file>."),
        _ => CopyAsync(job, Writer(job, output, format), 0, cancellationToken),
    };

    private static IResultWriter Writer(JobRecord job, Stream output, OutputFormat format) => format switch
    {
        OutputFormat.Csv => new CsvResults(new StreamWriter(output), job, hasHeader: output.CanSeek && output.Position > 0),
        OutputFormat.Parquet => new ParquetResults(output, job),
        OutputFormat.Coco => new CocoResults(output, job),
        OutputFormat.Answers => new LlavaAnswers(new StreamWriter(output), job),
        OutputFormat.OpenAi => new OpenAiResults(new StreamWriter(output), job, isErrors: false),
        OutputFormat.OpenAiErrors => new OpenAiResults(new StreamWriter(output), job, isErrors: true),
        OutputFormat.WebDataset => new WebDatasetResults(output, job),
        _ => new JsonLinesResults(new StreamWriter(output), job, format == OutputFormat.Timeline),
    };

    /// <summary>Copies all results but the first <paramref name="there"/>: those of a job that is over never change, nor does their order.</summary>
    private async Task CopyAsync(JobRecord job, IResultWriter writer, int there, CancellationToken cancellationToken)
    {
        await using (writer)
        {
            await foreach (var result in resultsOf(job.Id).WithCancellation(cancellationToken))
            {
                if (there-- <= 0)
                {
                    await writer.WriteAsync(result, cancellationToken);
                }
            }
        }
    }
}
