using System.CommandLine;
using Llava.Cli.Clients;
using Llava.Cli.Jobs;
using Llava.Cli.Output;
using Llava.Contracts.States;

namespace Llava.Cli.Commands;

/// <summary><c>llava cancel</c>, <c>pause</c>, <c>resume</c> and <c>close</c>.</summary>
internal static class ControlCommands
{
    public static IEnumerable<Command> Create() =>
    [
        Create(JobVerb.Cancel, "Stop a job: what is answered stays, the rest is marked cancelled."),
        Create(JobVerb.Pause, "Hold a job: nothing more of it is handed out until it is resumed."),
        Create(JobVerb.Resume, "Go on with a paused job."),
        Create(JobVerb.Close, "Add nothing more to an open job: it is over once all there is of it is answered."),
    ];

    private static Command Create(JobVerb verb, string description)
    {
        var job = new Argument<string>("job") { Description = "A job id; 'llava status' lists them." };
        var command = new Command(verb.ToString().ToLowerInvariant(), description) { job, JobOutput.Json };
        var client = new ClientOptions();
        client.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            var id = JobIds.Parse(typed.GetValue(job)!);
            await using var jobs = await client.OpenAsync(typed, cancellationToken);
            var status = await jobs.ControlAsync(id, verb, cancellationToken);
            JobOutput.Write(typed, status, $"{id} is {(verb == JobVerb.Close ? "closed; it is " : "")}{status.Job.State.WireName()}.");
            return ExitCodes.Ok;
        }));
        return command;
    }
}
