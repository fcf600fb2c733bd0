using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Storage;
using Llava.Ledger.Webhooks;

namespace Llava.Ledger.Training;

/// <summary>
/// Runs that start from the model of another: they wait for it, go on in the write in which it succeeds, and fail in the one in which it comes to nothing. A run can only
/// come after one that is there already, so that no chain ever closes to a ring.
/// </summary>
internal static class TrainingChain
{
    /// <summary>Why a run failed that never began.</summary>
    public const string PreviousFailed = "previous_failed";

    private const string Field = "after";

    /// <summary>The request with the model that it starts from, where that is another run's.</summary>
    /// <exception cref="InvalidTrainingRequestException">The tenant has no such run, or it makes another model than the request names.</exception>
    public static async Task<TrainingRequest> JoinAsync(LedgerSession session, TrainingRequest request, CancellationToken cancellation)
    {
        if (request.After is null)
        {
            return request;
        }

        var previous = await PreviousAsync(session, request, cancellation);
        if (request.Model.Length > 0 && request.Model != previous.Model)
        {
            throw Refused("model", $"is '{request.Model}', but a run after '{previous.Id}' starts from the model of that one; leave it out.");
        }

        var promotion = request.Promotion is { Evaluate.Model.Length: 0 } asked ? asked with { Evaluate = asked.Evaluate with { Model = previous.Model } } : request.Promotion;
        return request with { Model = previous.Model, Promotion = promotion };
    }

    /// <summary>The state in which a run begins; the run before it cannot end until the caller has committed.</summary>
    /// <exception cref="InvalidTrainingRequestException">The run before has no model, and never will.</exception>
    public static async Task<TrainingRunState> BeginAsync(LedgerSession session, TrainingRequest request, CancellationToken cancellation)
    {
        if (request.After is not { } after)
        {
            return TrainingRunState.ValidatingFiles;
        }

        await session.Statement("hold_training_run").Set("@id", after).ExecuteAsync(cancellation);
        var previous = await PreviousAsync(session, request, cancellation);
        return previous.HasModel ? TrainingRunState.ValidatingFiles
            : !previous.State.IsFinal() ? TrainingRunState.Waiting
            : throw Refused(Field, previous.State == TrainingRunState.Succeeded
                ? $"is '{after}', whose model was deleted; name a run that has its model or is still to make it."
                : $"is '{after}', which is {previous.State.WireName()} and makes no model; name a run that has succeeded or is still to.");
    }

    /// <summary>Where a run goes that is resumed.</summary>
    public static async Task<TrainingRunState> ResumedAsync(LedgerSession session, TrainingRunRecord run, CancellationToken cancellation) =>
        run.Resolved is not null ? TrainingRunState.Queued
        : run.Request.After is { } after && await TrainingRuns.FindAsync(session, after, cancellation) is { State: not TrainingRunState.Succeeded } ? TrainingRunState.Waiting
        : TrainingRunState.ValidatingFiles;

    /// <summary>A run is over: those that wait for it go on, or fail with it, and with them those that wait for them.</summary>
    public static async Task EndedAsync(LedgerSession session, string run, TrainingRunState state, DateTimeOffset now, CancellationToken cancellation)
    {
        if (state == TrainingRunState.Succeeded)
        {
            foreach (var follower in await session.Statement("start_training_followers").Set("@id", run).ListAsync(row => row.GetString(0), cancellation))
            {
                await TrainingRuns.NoteAsync(session, follower, TrainingEventLevel.Info, $"{run} has succeeded; this run starts from its model", null, now, cancellation);
            }

            return;
        }

        TrainingFailure failure = new(PreviousFailed, $"Run '{run}', whose model this one was to start from, {(state == TrainingRunState.Cancelled ? "was cancelled" : "failed")}. Ask for both again.", Field);
        var followers = await session.Statement("fail_training_followers")
            .Set("@id", run)
            .Set("@now", now.ToUnixTimeMilliseconds())
            .Set("@code", failure.Code)
            .Set("@message", failure.Message)
            .Set("@param", failure.Param)
            .ListAsync(row => (Run: row.GetString(0), Tenant: row.GetString(1)), cancellation);
        foreach (var follower in followers)
        {
            await TrainingRuns.NoteAsync(session, follower.Run, TrainingEventLevel.Error, $"Fine-tuning job failed: {failure.Message}", null, now, cancellation);
            await WebhookEvent.OfTraining(follower.Run, TrainingRunState.Failed, now).AddAsync(session, follower.Tenant, cancellation);
            await EndedAsync(session, follower.Run, TrainingRunState.Failed, now, cancellation);
        }
    }

    private static async Task<TrainingRunRecord> PreviousAsync(LedgerSession session, TrainingRequest request, CancellationToken cancellation) =>
        await TrainingRuns.FindAsync(session, request.After!, cancellation) is { } found && found.Request.Tenant == request.Tenant
            ? found
            : throw Refused(Field, $"is '{request.After}', and tenant '{request.Tenant}' has no such run; list runs to see those there are.");

    private static InvalidTrainingRequestException Refused(string field, string message) => new([new(field, message)]);
}
