using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Storage;
using Llava.Ledger.Training;

namespace Llava.Ledger.Schedules;

/// <summary>A training run that a schedule asked for.</summary>
/// <param name="Run">Its id.</param>
/// <param name="TrainingFile">The file that it learns from.</param>
internal sealed record ScheduledRun(string Run, string TrainingFile)
{
    /// <summary>The runs of a schedule, the newest first.</summary>
    public static Task<List<ScheduledRun>> ListAsync(LedgerSession session, long schedule, int limit, CancellationToken cancellation) =>
        session.Statement("list_runs_of_schedule").Set("@id", schedule).Set("@limit", limit).ListAsync(row => new ScheduledRun(row.GetString(0), row.GetString(1)), cancellation);

    /// <summary>Asks for a run inside the write that settles the fire, unless the one before is not over or there is nothing to learn from.</summary>
    public static async Task<ScheduleFire> SubmitAsync(LedgerSession session, ScheduleRecord schedule, DateTimeOffset now, CancellationToken cancellation)
    {
        var definition = schedule.Definition;
        var request = definition.Training!;
        if (await FileAsync(session, request.Tenant, request.TrainingFile, now, cancellation) is not { } file)
        {
            return new(ScheduleOutcome.Refused, null, "There is no file to learn from: make one of reviewed answers, or send one with the purpose 'fine-tune'.");
        }

        request = request with { TrainingFile = file };
        if (await FindReasonAsync(session, schedule, file, cancellation) is { } skipped)
        {
            return skipped;
        }

        if (request.Findings() is { Count: > 0 } findings)
        {
            // Kept by a version with other rules.
            return new(ScheduleOutcome.Refused, null, new InvalidTrainingRequestException(findings).Message);
        }

        var id = TrainingRuns.NewId(now);
        try
        {
            await TrainingRuns.CreateAsync(session, id, request, now, cancellation);
        }
        catch (InvalidTrainingRequestException refused)
        {
            return new(ScheduleOutcome.Refused, null, refused.Message);
        }

        await session.Statement("insert_run_of_schedule").Set("@run", id).Set("@schedule", schedule.Id).Set("@file", file).ExecuteAsync(cancellation);
        return new(ScheduleOutcome.Submitted) { Run = id };
    }

    /// <summary>The file, the newest where that is asked for; null when there is none.</summary>
    private static async Task<string?> FileAsync(LedgerSession session, string tenant, string file, DateTimeOffset now, CancellationToken cancellation) => file != ScheduleDefinition.NewestFile
        ? file
        : await session.Statement("newest_training_file").Set("@tenant", tenant).Set("@now", now.ToUnixTimeMilliseconds()).FirstAsync(row => row.GetString(0), cancellation);

    /// <summary>Why there is to be no run; null when there is to be one. A run that failed or was cancelled has learned nothing.</summary>
    private static async Task<ScheduleFire?> FindReasonAsync(LedgerSession session, ScheduleRecord schedule, string file, CancellationToken cancellation)
    {
        if (await ListAsync(session, schedule.Id, 1, cancellation) is not [var last] || await TrainingRuns.FindAsync(session, last.Run, cancellation) is not { } before)
        {
            return null;
        }

        return schedule.Definition.Overlap == ScheduleOverlap.Skip && !before.State.IsFinal() ? Skip($"the run before, '{last.Run}', is {before.State.WireName()}")
            : schedule.Definition.OnlyNew && last.TrainingFile == file && before.State is not (TrainingRunState.Failed or TrainingRunState.Cancelled) ? Skip($"'{last.Run}' learns or has learned from '{file}', and no newer file is there")
            : null;

        ScheduleFire Skip(string reason) => new(ScheduleOutcome.Skipped, null, $"Left out: {reason}.") { Run = last.Run };
    }
}
