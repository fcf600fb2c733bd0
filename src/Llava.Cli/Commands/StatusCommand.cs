using System.CommandLine;
using System.Globalization;
using Llava.Cli.Clients;
using Llava.Cli.Jobs;
using Llava.Cli.Output;
using Llava.Contracts.States;
using Spectre.Console;

namespace Llava.Cli.Commands;

/// <summary><c>llava status</c>: the newest jobs, or one.</summary>
internal static class StatusCommand
{
    private const int Newest = 50;

    public static Command Create()
    {
        var job = new Argument<string?>("job") { Description = $"A job id. Default: the newest {Newest} jobs.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("status", "Show jobs and how far they are.") { job, JobOutput.Json };
        var client = new ClientOptions();
        client.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            await using var jobs = await client.OpenAsync(typed, cancellationToken);
            var found = typed.GetValue(job) is { } id
                ? [await jobs.ReadAsync(JobIds.Parse(id), cancellationToken)]
                : await jobs.ListAsync(Newest, cancellationToken);
            if (typed.GetValue(JobOutput.Json))
            {
                found.ToList().ForEach(status => Console.WriteLine(JobOutput.JsonOf(status)));
            }
            else
            {
                Write(found);
            }

            return ExitCodes.Ok;
        }));
        return command;
    }

    private static void Write(IReadOnlyList<JobStatus> jobs)
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
                new Text($"{job.State.WireName()}{(job.IsOpen ? ", open" : job.IsSampled ? ", sampled" : "")}"),
                new Text(Path.GetFileName(Path.TrimEndingDirectorySeparator(job.Request.Source.Path))),
                new Text($"{progress.Done}/{progress.Total}"),
                new Text(progress.Failed.ToString(CultureInfo.InvariantCulture)),
                new Text(progress.ItemsPerSecond.ToString("0.0", CultureInfo.InvariantCulture)));
        }

        AnsiConsole.Write(table);
        if (jobs is [{ Job.Failure: { } failure }])
        {
            AnsiConsole.WriteLine(failure.Message);
        }

        if (jobs is [{ Progress.Score: { } score }])
        {
            AnsiConsole.WriteLine(JobOutput.WordsOf(score));
        }

        foreach (var line in jobs is [{ Job.IsSampled: true, Sample.Estimate: { } estimate }] ? EstimateText.Lines(estimate) : [])
        {
            AnsiConsole.WriteLine(line);
        }

        foreach (var part in jobs is [{ Parts: { } parts }] ? parts : [])
        {
            AnsiConsole.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"Part {part.Number}, '{part.Source.Path}', is {part.State.WireName()}: {part.ItemCount} items.{(part.Failure is { } cause ? $" {cause.Message}" : "")}"));
        }
    }

    private static TableColumn Right(string name) => new TableColumn(name).RightAligned();
}
