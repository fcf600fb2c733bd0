using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Llava.Cli.Embedded;
using Llava.Cli.Jobs;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Spectre.Console;

namespace Llava.Cli.Commands;

/// <summary><c>llava status</c>: all jobs, or one.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var job = new Argument<string?>("job") { Description = "A job id. Default: all jobs, the newest first.", Arity = ArgumentArity.ZeroOrOne };
        var json = new Option<bool>("--json") { Description = "Print JSON, one object per job." };
        var data = JobOptions.DataOption();
        var command = new Command("status", "Show jobs and how far they are.") { job, json, data };
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            await using var ledger = await EmbeddedLedger.OpenAsync(DataFolder.Resolve(typed.GetValue(data)), cancellationToken);
            var records = typed.GetValue(job) is { } id
                ? [await ledger.Jobs.ReadAsync(JobIds.Parse(id), cancellationToken)]
                : await ledger.Jobs.ListAsync(new JobFilter(), cancellationToken);
            var progress = new List<(JobRecord Job, JobProgress Progress)>();
            foreach (var record in records)
            {
                progress.Add((record, await ledger.Jobs.ProgressAsync(record.Id, cancellationToken)));
            }

            if (typed.GetValue(json))
            {
                progress.ForEach(p => Console.WriteLine(Json(p.Job, p.Progress)));
            }
            else
            {
                Write(progress);
            }

            return ExitCodes.Ok;
        }));
        return command;
    }

    private static void Write(List<(JobRecord Job, JobProgress Progress)> jobs)
    {
        if (jobs.Count == 0)
        {
            Console.WriteLine("No jobs yet. Start one with 'llava annotate <folder>'.");
            return;
        }

        var table = new Table().Border(TableBorder.Simple)
            .AddColumns("job", "state", "source").AddColumn(Right("done")).AddColumn(Right("failed")).AddColumn(Right("items/s"));
        foreach (var (job, progress) in jobs)
        {
            table.AddRow(
                new Text(job.Id.ToString()),
                new Text(job.State.WireName()),
                new Text(Path.GetFileName(Path.TrimEndingDirectorySeparator(job.Request.Source.Path))),
                new Text($"{progress.Done}/{progress.Total}"),
                new Text(progress.Failed.ToString(CultureInfo.InvariantCulture)),
                new Text(progress.ItemsPerSecond.ToString("0.0", CultureInfo.InvariantCulture)));
        }

        AnsiConsole.Write(table);
    }

    private static TableColumn Right(string name) => new TableColumn(name).RightAligned();

    private static string Json(JobRecord job, JobProgress progress) => JsonSerializer.Serialize(new
    {
        id = job.Id.ToString(),
        state = job.State.WireName(),
        model = job.Request.Model,
        source = job.Request.Source.Path,
        total = progress.Total,
        succeeded = progress.Succeeded,
        failed = progress.Failed,
        cancelled = progress.Cancelled,
        expired = progress.Expired,
        copied = progress.Copied,
        cached = progress.Cached,
        completion_tokens = progress.CompletionTokens,
        items_per_second = progress.ItemsPerSecond,
    });
}
