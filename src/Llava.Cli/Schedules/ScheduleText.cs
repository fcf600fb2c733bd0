using System.Globalization;
using System.Text.Json;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Schedules;
using Llava.Ledger.Training;
using Spectre.Console;

namespace Llava.Cli.Schedules;

/// <summary>Schedules for a person and for a program.</summary>
internal static class ScheduleText
{
    private static readonly JsonSerializerOptions JsonOptions = new(RequestJson.Options) { DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.Never };

    /// <summary>When it fires, such as <c>every day at 02:00 (Europe/Berlin), next Tue 24 Nov 02:00</c>.</summary>
    public static string When(ScheduleRecord schedule, DateTimeOffset now) =>
        $"{schedule.Cadence.Words}, {(!schedule.IsEnabled ? "paused" : Next(schedule, now) is { } next ? $"next {Moment(next, now)}" : "never again")}";

    /// <summary>What its last run came to.</summary>
    public static string LastRun(ScheduleView view) =>
        view.Schedule.LastError ?? (view.Jobs is [var last, ..] ? Came(last) : view.Runs is [var run, ..] ? Came(run) : view.Schedule.LastRunAt is null ? "never run" : "its job has been deleted");

    public static void WriteTable(IReadOnlyList<ScheduleView> views, DateTimeOffset now)
    {
        if (views.Count == 0)
        {
            Console.WriteLine("No schedules yet. Make one with 'llava schedule add <name> --cron \"0 2 * * *\" annotate <folder>'.");
            return;
        }

        var table = new Table().Border(TableBorder.Simple).AddColumns("schedule", "does", "when", "last run");
        foreach (var view in views)
        {
            table.AddRow(new Text(view.Schedule.Definition.Name), new Text(Does(view.Schedule.Definition)), new Text(When(view.Schedule, now)), new Text(LastRun(view)));
        }

        AnsiConsole.Write(table);
    }

    public static void Write(ScheduleView view, DateTimeOffset now)
    {
        var schedule = view.Schedule;
        var zone = schedule.Cadence.TimeZone;
        Say("schedule", schedule.Definition.Name);
        Say("does", Does(schedule.Definition));
        Say("model", ModelFolders.NameOf(schedule.Definition.Model));
        Say("source", schedule.Definition.Request?.Source.Path ?? schedule.Definition.Training!.TrainingFile);
        Say("when", When(schedule, now));
        Say("cron", schedule.Definition.Cron);
        Say("overlap", schedule.Definition.Overlap == ScheduleOverlap.Skip ? "left out while the job before is not over" : "waits for the job before");
        Say("last run", schedule.LastRunAt is { } at ? $"{Moment(TimeZoneInfo.ConvertTime(at, zone), now)}: {LastRun(view)}" : "never");
        foreach (var job in view.Jobs)
        {
            Say("job", $"{Came(job)}, submitted {Moment(TimeZoneInfo.ConvertTime(job.Job.CreatedAt, zone), now)}");
        }

        foreach (var run in view.Runs)
        {
            Say("run", $"{Came(run)}, submitted {Moment(TimeZoneInfo.ConvertTime(run.CreatedAt, zone), now)}");
        }

        static void Say(string what, string text) => Console.WriteLine($"{what,-10} {text}");
    }

    public static string Json(ScheduleView view, DateTimeOffset now)
    {
        var (schedule, definition) = (view.Schedule, view.Schedule.Definition);
        return JsonSerializer.Serialize(
            new
            {
                definition.Name,
                Kind = definition.Kind.ToString().ToLowerInvariant(),
                definition.Cron,
                definition.TimeZone,
                When = schedule.Cadence.Words,
                Enabled = schedule.IsEnabled,
                NextRun = schedule.IsEnabled ? Next(schedule, now) : null,
                definition.OnlyNew,
                Overlap = definition.Overlap.ToString().ToLowerInvariant(),
                schedule.CreatedAt,
                schedule.UpdatedAt,
                schedule.LastRunAt,
                LastJob = schedule.LastJob?.ToString(),
                schedule.LastError,
                definition.Request,
                definition.Training,
                Jobs = view.Jobs.Select(job => new { Id = job.Job.Id.ToString(), State = job.Job.State.WireName(), job.Job.CreatedAt, job.Progress.Total, job.Progress.Succeeded, job.Progress.Failed, Score = job.Progress.Score?.Share }),
                Runs = view.Runs.Select(run => new { run.Id, State = run.State.WireName(), run.CreatedAt, run.Request.TrainingFile, run.Model, run.Loss }),
            },
            JsonOptions);
    }

    private static string Does(ScheduleDefinition definition) => definition switch
    {
        { Training: { } training } => $"finetune {ModelFolders.NameOf(training.Model)} on {(training.TrainingFile == ScheduleDefinition.NewestFile ? "the newest file" : training.TrainingFile)}",
        { Kind: ScheduleKind.Evaluate } => $"evaluate {ModelFolders.NameOf(definition.Model)} on {NameOf(definition)}",
        _ => $"{definition.Kind.ToString().ToLowerInvariant()} {(definition.OnlyNew ? "what is new in" : "all of")} {NameOf(definition)}",
    };

    private static string NameOf(ScheduleDefinition definition) => Path.GetFileName(Path.TrimEndingDirectorySeparator(definition.Request!.Source.Path));

    private static string Came(ScheduledJob job) =>
        job.Job.State == JobState.Completed && job.Progress.Total == 0 ? $"{job.Job.Id} completed, nothing was new"
        : job.Job.Failure is { } failure ? $"{job.Job.Id} failed: {failure.Message}"
        : string.Create(CultureInfo.InvariantCulture, $"{job.Job.Id} {job.Job.State.WireName()}, {job.Progress.Succeeded} of {job.Progress.Total} succeeded{(job.Progress.Score is { } score ? $", {score.Share:P1} as expected" : "")}");

    private static string Came(TrainingRunRecord run) => run.Failure is { } failure
        ? $"{run.Id} failed: {failure.Message}"
        : string.Create(CultureInfo.InvariantCulture, $"{run.Id} {run.State.WireName()}{(run.Loss is { } loss ? $", loss {loss:0.000}" : "")}{(run.HasModel ? $", made {run.Model}" : "")}");

    private static DateTimeOffset? Next(ScheduleRecord schedule, DateTimeOffset now) => schedule.Cadence.Next(now);

    /// <summary>The year where it is not this one.</summary>
    private static string Moment(DateTimeOffset time, DateTimeOffset now) =>
        time.ToString(time.Year == now.Year ? "ddd d MMM HH:mm" : "ddd d MMM yyyy HH:mm", CultureInfo.InvariantCulture);
}
