using System.CommandLine;
using Llava.Cli.Embedded;
using Llava.Cli.Jobs;
using Llava.Cli.Output;

namespace Llava.Cli.Commands;

/// <summary><c>llava results</c>: what a job has so far, in any format, while it runs or afterwards.</summary>
internal static class ResultsCommand
{
    public static Command Create()
    {
        var job = new Argument<string>("job") { Description = "A job id; 'llava status' lists them." };
        var options = new JobOptions();
        var command = new Command("results", "Write a job's results, while it runs or afterwards.") { job, options.Out, options.Format, options.Data };
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            await using var ledger = await EmbeddedLedger.OpenAsync(DataFolder.Resolve(typed.GetValue(options.Data)), cancellationToken);
            var record = await ledger.Jobs.ReadAsync(JobIds.Parse(typed.GetValue(job)!), cancellationToken);
            var target = typed.GetValue(options.Out);
            var format = typed.GetValue(options.Format);
            var file = new ResultFile(ledger.Results);
            await (target is null
                ? file.WriteAsync(record, Console.OpenStandardOutput(), format ?? OutputFormat.Jsonl, cancellationToken)
                : file.WriteAsync(record, target, format ?? OutputFormats.Of(target), cancellationToken));
            return ExitCodes.Ok;
        }));
        return command;
    }
}
