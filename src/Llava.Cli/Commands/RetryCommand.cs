using System.CommandLine;
using Llava.Cli.Clients;
using Llava.Cli.Jobs;
using Llava.Cli.Output;
using Llava.Contracts.Requests;
using Llava.Contracts.States;

namespace Llava.Cli.Commands;

/// <summary><c>llava retry</c>: what has no answer is tried again.</summary>
internal static class RetryCommand
{
    private static readonly Dictionary<string, ItemOutcome> Others = new(StringComparer.OrdinalIgnoreCase)
    {
        [ItemOutcome.Cancelled.WireName()] = ItemOutcome.Cancelled,
        [ItemOutcome.Expired.WireName()] = ItemOutcome.Expired,
    };

    public static Command Create()
    {
        var job = new Argument<string>("job") { Description = "A job id; 'llava status' lists them." };
        var codes = new Option<string[]>("--code") { Description = "Only items that failed with this code, such as image_unreadable; may be given several times." };
        var also = new Option<string[]>("--also") { Description = $"Besides those that failed, those that were {string.Join(" or ", Others.Keys)}." };
        also.AcceptOnlyFromAmong([.. Others.Keys]);
        var command = new Command("retry", "Try a job's failed items again; answers stay. A job that was over is queued again.") { job, codes, also, JobOutput.Json };
        var client = new ClientOptions();
        client.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            var id = JobIds.Parse(typed.GetValue(job)!);
            RetryRequest retry = new()
            {
                Outcomes = [ItemOutcome.Failed, .. (typed.GetValue(also) ?? []).Select(name => Others[name])],
                Codes = typed.GetValue(codes) ?? [],
            };
            await using var jobs = await client.OpenAsync(typed, cancellationToken);
            var (state, items) = await jobs.RetryAsync(id, retry, cancellationToken);
            Console.WriteLine(typed.GetValue(JobOutput.Json)
                ? JobOutput.JsonOf(await jobs.ReadAsync(id, cancellationToken), items)
                : items == 0 ? $"{id} has no such item; it is {state.WireName()}." : $"{items} items of {id} are tried again; it is {state.WireName()}.");
            return ExitCodes.Ok;
        }));
        return command;
    }
}
