using System.CommandLine;
using System.Text.Json;
using Llava.Cli.Embedded;
using Llava.Cli.Jobs;
using Llava.Cli.Schedules;
using Llava.Ledger.Schedules;

namespace Llava.Cli.Commands;

/// <summary><c>llava schedule</c>: what is to be done again and again, and when.</summary>
internal static class ScheduleCommand
{
    public static Command Create() => new("schedule", "Have a job done or a model trained again and again, such as every night; 'llava up' and 'llava serve scheduler' see to it (docs/schedules.md).")
    {
        ScheduleAddCommand.Create(),
        List(),
        Show(),
        Run(),
        Change("pause", "Keep a schedule from running; the job it made last goes on.", (client, name, token) => client.PauseAsync(name, token)),
        Change("resume", "Let a paused schedule run again; what it missed is not made up for.", (client, name, token) => client.ResumeAsync(name, token)),
        Remove(),
    };

    /// <summary>What is shown of one schedule after a change.</summary>
    public static int Report(ScheduleView view, bool json)
    {
        var now = TimeProvider.System.GetUtcNow();
        Console.WriteLine(json ? ScheduleText.Json(view, now) : $"{view.Schedule.Definition.Name}: {ScheduleText.When(view.Schedule, now)}");
        return ExitCodes.Ok;
    }

    public static Option<bool> JsonOption() => new("--json") { Description = "Print JSON, one object per schedule." };

    private static Argument<string> NameArgument() => new("name") { Description = "A schedule's name; 'llava schedule list' shows them." };

    private static Command List()
    {
        var (json, data) = (JsonOption(), JobOptions.DataOption());
        var command = new Command("list", "Show schedules, when each runs next and how it last went.") { json, data };
        command.SetAction((typed, cancellationToken) => WithClientAsync(typed.GetValue(data), async client =>
        {
            var views = await client.ListAsync(cancellationToken);
            var now = TimeProvider.System.GetUtcNow();
            if (typed.GetValue(json))
            {
                views.ToList().ForEach(view => Console.WriteLine(ScheduleText.Json(view, now)));
            }
            else
            {
                ScheduleText.WriteTable(views, now);
            }

            return ExitCodes.Ok;
        }, cancellationToken));
        return command;
    }

    private static Command Show()
    {
        var (name, json, data) = (NameArgument(), JsonOption(), JobOptions.DataOption());
        var command = new Command("show", "Show one schedule and its last jobs.") { name, json, data };
        command.SetAction((typed, cancellationToken) => WithClientAsync(typed.GetValue(data), async client =>
        {
            var view = await client.ReadAsync(typed.GetValue(name)!, cancellationToken);
            var now = TimeProvider.System.GetUtcNow();
            if (typed.GetValue(json))
            {
                Console.WriteLine(ScheduleText.Json(view, now));
            }
            else
            {
                ScheduleText.Write(view, now);
            }

            return ExitCodes.Ok;
        }, cancellationToken));
        return command;
    }

    private static Command Run()
    {
        var (name, json, data) = (NameArgument(), new Option<bool>("--json") { Description = "Print JSON." }, JobOptions.DataOption());
        var command = new Command("run", "Submit a schedule's job or training run now; 'llava status' and 'llava train status' follow it.") { name, json, data };
        command.SetAction((typed, cancellationToken) => WithClientAsync(typed.GetValue(data), async client =>
        {
            var fire = await client.RunAsync(typed.GetValue(name)!, cancellationToken);
            var isSubmitted = fire.Outcome == ScheduleOutcome.Submitted;
            Console.WriteLine(
                typed.GetValue(json) ? JsonSerializer.Serialize(new { submitted = isSubmitted, job = fire.Job?.ToString(), run = fire.Run, reason = fire.Reason })
                : isSubmitted ? fire.Made
                : fire.Reason);
            return isSubmitted ? ExitCodes.Ok : ExitCodes.CannotReachOrLoad;
        }, cancellationToken));
        return command;
    }

    private static Command Change(string verb, string description, Func<IScheduleClient, string, CancellationToken, Task<ScheduleView>> change)
    {
        var (name, json, data) = (NameArgument(), JsonOption(), JobOptions.DataOption());
        var command = new Command(verb, description) { name, json, data };
        command.SetAction((typed, cancellationToken) => WithClientAsync(typed.GetValue(data), async client =>
            Report(await change(client, typed.GetValue(name)!, cancellationToken), typed.GetValue(json)), cancellationToken));
        return command;
    }

    private static Command Remove()
    {
        var (name, data) = (NameArgument(), JobOptions.DataOption());
        var command = new Command("remove", "Remove a schedule and what it remembers; its jobs and their results stay, but one that has not begun is cancelled.") { name, data };
        command.SetAction((typed, cancellationToken) => WithClientAsync(typed.GetValue(data), async client =>
        {
            foreach (var job in await client.RemoveAsync(typed.GetValue(name)!, cancellationToken))
            {
                await Console.Error.WriteLineAsync($"{job} had not begun and is cancelled.");
            }

            return ExitCodes.Ok;
        }, cancellationToken));
        return command;
    }

    public static Task<int> WithClientAsync(DirectoryInfo? data, Func<IScheduleClient, Task<int>> use, CancellationToken cancellationToken) => Failures.ReportAsync(async () =>
    {
        await using var client = await LedgerScheduleClient.OpenAsync(DataFolder.Resolve(data), cancellationToken);
        return await use(client);
    });
}
