using System.CommandLine;
using Llava.Cli.Clients;
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
        var command = new Command("results", "Write a job's results, while it runs or afterwards.") { job, options.Out, options.Format };
        var client = new ClientOptions();
        client.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            await using var jobs = await client.OpenAsync(typed, cancellationToken);
            var (record, _) = await jobs.ReadAsync(JobIds.Parse(typed.GetValue(job)!), cancellationToken);
            var target = typed.GetValue(options.Out);
            var format = typed.GetValue(options.Format);
            var file = new ResultFile(id => jobs.ResultsAsync(id));
            await (target is null
                ? file.WriteAsync(record, Console.OpenStandardOutput(), format ?? OutputFormat.Jsonl, cancellationToken)
                : file.WriteAsync(record, target, format ?? OutputFormats.Of(target), cancellationToken));
            return ExitCodes.Ok;
        }));
        return command;
    }
}
