using System.CommandLine;
using Llava.Cli.Clients;
using Llava.Cli.Jobs;
using Llava.Cli.Output;
using Llava.Contracts;
using Llava.Ledger.Jobs;

namespace Llava.Cli.Commands;

/// <summary><c>llava submit</c>: what <c>annotate</c> and <c>vqa</c> do, left to a server or to <c>llava up</c>.</summary>
internal static class SubmitCommand
{
    public static Command Create()
    {
        var key = new Option<string?>("--idempotency-key") { Description = "Sent twice, the same key makes one job. Default: one made of the request and its files; with --server, a new one." };
        var priority = new Option<int>("--priority") { Description = "A higher one goes first, -100 to 100." };
        var open = new Option<bool>("--open") { Description = "Let 'llava append' add sources until 'llava close'; the job is not over before." };
        var follow = new Option<bool>("--follow") { Description = "Show the job's progress until it is over." };
        var command = new Command("submit", "Hand a job in and print its id at once; 'llava up' or a server works on it.") { key, priority, open, follow, JobOutput.Json };
        var arguments = new JobArguments();
        var options = new JobOptions();
        command.Options.Add(options.Sample);
        var client = new ClientOptions();
        arguments.AddTo(command);
        options.AddRequestTo(command);
        client.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            var isRemote = client.IsRemote(typed);
            var source = arguments.Source(typed, isRemote);
            var prompts = arguments.Prompts(typed, source);
            var request = (isRemote ? options.RequestToServer(typed, source, prompts) : options.Request(typed, source, prompts)) with { Priority = typed.GetValue(priority), Sample = typed.GetValue(options.Sample) };
            if (typed.GetValue(open))
            {
                // The same source as a job that is over by itself is another job.
                request = request with { Open = true, IdempotencyKey = $"{request.IdempotencyKey}-open" };
            }

            await using var jobs = await client.OpenAsync(typed, cancellationToken);
            var submitted = await jobs.SubmitAsync(typed.GetValue(key) is { } named ? request with { IdempotencyKey = named } : request, cancellationToken);
            if (!submitted.IsNew)
            {
                await Console.Error.WriteLineAsync($"{submitted.Id} was handed in before.");
            }

            if (!typed.GetValue(follow))
            {
                JobOutput.Write(typed, await jobs.ReadAsync(submitted.Id, cancellationToken), submitted.Id.ToString());
                return ExitCodes.Ok;
            }

            return await FollowAsync(typed, jobs, submitted.Id, cancellationToken);
        }));
        return command;
    }

    private static async Task<int> FollowAsync(ParseResult typed, IJobClient jobs, JobId job, CancellationToken cancellationToken)
    {
        await Console.Error.WriteLineAsync($"{job}");
        JobRecord last;
        try
        {
            last = await JobFollowing.FollowAsync(token => jobs.ReadAsync(job, token), cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Whoever looks away stops nothing.
            await Console.Error.WriteLineAsync($"The job goes on; 'llava status {job}' shows how far it is, 'llava cancel {job}' stops it.");
            return ExitCodes.Ok;
        }

        if (last.Failure is { } failure)
        {
            await Console.Error.WriteLineAsync(failure.Message);
        }

        var status = await jobs.ReadAsync(job, cancellationToken);
        if (last.IsSampled && status.Sample is { } sample)
        {
            await JobFollowing.TellAsync(job, sample);
        }

        JobOutput.Write(typed, status, job.ToString());
        return JobFollowing.ExitCode(last);
    }
}
