using System.CommandLine;
using System.Globalization;
using Llava.Cli.Clients;
using Llava.Cli.Jobs;
using Llava.Cli.Output;
using Llava.Contracts.Requests;

namespace Llava.Cli.Commands;

/// <summary><c>llava append</c>: a further source for a job that was submitted with <c>--open</c>.</summary>
internal static class AppendCommand
{
    public static Command Create()
    {
        var job = new Argument<string>("job") { Description = "Id of an open job; 'llava status' lists jobs." };
        var key = new Option<string?>("--key") { Description = "Sent twice, the same key adds one part. Default: a new one." };
        var command = new Command("append", "Add a source to an open job; model, prompts and settings are the job's.") { job, key, JobOutput.Json };
        var source = new SourceArguments();
        var client = new ClientOptions();
        source.AddTo(command);
        client.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            var id = JobIds.Parse(typed.GetValue(job)!);
            PartRequest part = new() { Source = source.Source(typed, client.IsRemote(typed)), IdempotencyKey = typed.GetValue(key) ?? $"cli-{Guid.NewGuid():n}" };
            await using var jobs = await client.OpenAsync(typed, cancellationToken);
            var appended = await jobs.AppendAsync(id, part, cancellationToken);
            if (!appended.IsNew)
            {
                await Console.Error.WriteLineAsync($"Part {appended.Part.Number.ToString(CultureInfo.InvariantCulture)} of {id} was added before.");
            }

            Console.WriteLine(typed.GetValue(JobOutput.Json)
                ? JobOutput.JsonOf(await jobs.ReadAsync(id, cancellationToken))
                : string.Create(CultureInfo.InvariantCulture, $"'{part.Source.Path}' is part {appended.Part.Number} of {id}."));
            return ExitCodes.Ok;
        }));
        return command;
    }
}
