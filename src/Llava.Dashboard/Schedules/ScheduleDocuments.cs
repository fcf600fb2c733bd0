using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Schedules;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.Schedules;

/// <summary>Body of <c>PUT /schedules/{name}</c>: what is asked for.</summary>
internal sealed record ScheduleBody
{
    /// <summary><c>annotate</c>, <c>vqa</c>, <c>evaluate</c> or <c>finetune</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>When, in five cron fields.</summary>
    public required string Cron { get; init; }

    /// <summary>IANA name of the zone of <see cref="Cron"/>. Default <c>UTC</c>.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>The job; for every kind but <c>finetune</c>.</summary>
    public JobRequest? Request { get; init; }

    /// <summary>The training run of <c>finetune</c>.</summary>
    public TrainingRequest? Training { get; init; }

    /// <summary>Whether what was answered, or learned from, before is left out. Default false.</summary>
    public bool OnlyNew { get; init; }

    /// <summary><c>skip</c>, the default, or <c>queue</c>.</summary>
    public string Overlap { get; init; } = "skip";
}

/// <summary>A schedule as it is told of.</summary>
internal sealed record ScheduleDocument
{
    public required string Name { get; init; }

    public required string Tenant { get; init; }

    public required string Kind { get; init; }

    public required string Cron { get; init; }

    public required string TimeZone { get; init; }

    /// <summary>When, in words.</summary>
    public required string When { get; init; }

    public required bool Enabled { get; init; }

    public DateTimeOffset? NextRunAt { get; init; }

    public JobRequest? Request { get; init; }

    public TrainingRequest? Training { get; init; }

    public required bool OnlyNew { get; init; }

    public required string Overlap { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public DateTimeOffset? LastRunAt { get; init; }

    /// <summary>Why its last fire made nothing; null when it did.</summary>
    public string? LastError { get; init; }

    /// <summary>Its last jobs, the newest first.</summary>
    public required IReadOnlyList<ScheduledJobDocument> Jobs { get; init; }

    /// <summary>Its last training runs, the newest first.</summary>
    public required IReadOnlyList<ScheduledRunDocument> Runs { get; init; }

    public static ScheduleDocument Of(ScheduleView view, DateTimeOffset now)
    {
        var (schedule, definition) = (view.Schedule, view.Schedule.Definition);
        return new()
        {
            Name = definition.Name,
            Tenant = definition.Tenant,
            Kind = view.Kind,
            Cron = definition.Cron,
            TimeZone = definition.TimeZone,
            When = schedule.Cadence.Words,
            Enabled = schedule.IsEnabled,
            NextRunAt = view.NextAt(now),
            Request = definition.Request,
            Training = definition.Training,
            OnlyNew = definition.OnlyNew,
            Overlap = definition.Overlap.ToString().ToLowerInvariant(),
            CreatedAt = schedule.CreatedAt,
            UpdatedAt = schedule.UpdatedAt,
            LastRunAt = schedule.LastRunAt,
            LastError = schedule.LastError,
            Jobs = [.. view.Jobs.Select(job => new ScheduledJobDocument(job.Job.Id.ToString(), job.Job.State, job.Job.CreatedAt, job.Progress.Total, job.Progress.Succeeded, job.Progress.Failed, job.Progress.Score?.Share))],
            Runs = [.. view.Runs.Select(run => new ScheduledRunDocument(run.Id, run.State, run.CreatedAt, run.Request.TrainingFile, run.HasModel ? run.Model : null, run.Loss))],
        };
    }
}

/// <summary>A job that a schedule made.</summary>
/// <param name="Id">Its id.</param>
/// <param name="State">Where it is.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Total">Its items.</param>
/// <param name="Succeeded">Items with an answer.</param>
/// <param name="Failed">Items that could not be answered.</param>
/// <param name="Score">Share of the expected answers, 0 to 1; null where nothing is expected, or answered yet.</param>
internal sealed record ScheduledJobDocument(string Id, JobState State, DateTimeOffset CreatedAt, int Total, long Succeeded, long Failed, double? Score);

/// <summary>A training run that a schedule asked for.</summary>
/// <param name="Id">Its id.</param>
/// <param name="State">Where it is.</param>
/// <param name="CreatedAt">When it was asked for.</param>
/// <param name="TrainingFile">What it learns from.</param>
/// <param name="Model">The model it made; null while there is none.</param>
/// <param name="Loss">Loss of its newest step.</param>
internal sealed record ScheduledRunDocument(string Id, TrainingRunState State, DateTimeOffset CreatedAt, string TrainingFile, string? Model, double? Loss);

/// <summary>Schedules by name.</summary>
internal sealed record ScheduleListDocument(IReadOnlyList<ScheduleDocument> Schedules);

/// <summary>What became of a run by hand.</summary>
/// <param name="Submitted">Whether it made something.</param>
/// <param name="Job">The job it made, or was left out for.</param>
/// <param name="Run">The training run it made, or was left out for.</param>
/// <param name="Reason">Why it made nothing.</param>
internal sealed record FiredDocument(bool Submitted, string? Job, string? Run, string? Reason);

/// <summary>Schedules and what they made, as documents.</summary>
internal sealed class ScheduleDocuments(ScheduleStore schedules, JobReader jobs, TimeProvider time)
{
    private const int LastMade = 10;

    public ScheduleStore Schedules => schedules;

    /// <summary>What was found or changed.</summary>
    public async Task<IResult> ShowAsync(Func<ScheduleStore, Task<ScheduleRecord>> find, CancellationToken cancellation, int status = StatusCodes.Status200OK) =>
        Results.Json(await DocumentAsync(await find(schedules), LastMade, cancellation), RequestJson.Options, statusCode: status);

    public async Task<ScheduleDocument> DocumentAsync(ScheduleRecord schedule, int last, CancellationToken cancellation) =>
        ScheduleDocument.Of(await ScheduleView.ReadAsync(schedules, jobs, schedule, last, cancellation), time.GetUtcNow());
}
