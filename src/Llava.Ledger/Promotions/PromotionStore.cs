using System.Data.Common;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger.Audit;
using Llava.Ledger.Jobs;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Llava.Ledger.Training;

namespace Llava.Ledger.Promotions;

/// <summary>
/// Names that stand for trained models. A name stands for the model of the newest promotion that holds, so that one that does not hold leaves everything as it
/// was, and a model that is deleted gives its name back to the one before.
/// </summary>
public sealed class PromotionStore
{
    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly TimeProvider _time;

    internal PromotionStore(LedgerDatabase database, ILedgerSignal signal, TimeProvider time) => (_database, _signal, _time) = (database, signal, time);

    /// <summary>The model that a name stands for; null when it is no such name.</summary>
    /// <param name="tenant">Whose name.</param>
    /// <param name="name">The name.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<string?> TargetAsync(string tenant, string name, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => TargetAsync(session, tenant, name, token), cancellation);

    /// <summary>Promotions, the newest first.</summary>
    /// <param name="tenant">Only this one's; null for all.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<List<PromotionRecord>> ListAsync(string? tenant, int limit, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_promotions").Set("@tenant", tenant).Set("@limit", limit).ListAsync(PromotionRecord.Read, token), cancellation);

    /// <summary>Promotions whose model is made and was not judged yet, the oldest first.</summary>
    public Task<List<PromotionRecord>> ListWaitingAsync(CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_waiting_promotions").ListAsync(PromotionRecord.Read, token), cancellation);

    /// <summary>Judges a promotion, once; its run tells of it.</summary>
    /// <remarks>Jobs that are to be asked anew are submitted with it.</remarks>
    public async Task DecideAsync(PromotionRecord promotion, PromotionVerdict verdict, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        await _database.WriteAsync(async (session, token) =>
        {
            var isFirst = await session.Statement("decide_promotion")
                .Set("@run", promotion.Run)
                .Set("@holds", verdict.Holds)
                .Set("@reason", verdict.Reason)
                .Set("@now", now.ToUnixTimeMilliseconds())
                .ExecuteAsync(token) == 1;
            if (isFirst)
            {
                var message = verdict.Holds ? $"'{promotion.Name}' stands for {promotion.Model} now: {verdict.Reason}" : $"'{promotion.Name}' stays what it was: {verdict.Reason}";
                await TrainingRuns.NoteAsync(session, promotion.Run, verdict.Holds ? TrainingEventLevel.Info : TrainingEventLevel.Warn, message, null, now, token);
                await AuditChain.AppendAsync(session, now, verdict.Holds ? AuditActions.ModelPromoted : AuditActions.PromotionRefused, promotion.Tenant, promotion.Model, new() { ["name"] = promotion.Name, ["run"] = promotion.Run }, token);
                if (verdict.Holds)
                {
                    await AskAgainAsync(session, promotion, now, token);
                }
            }

            return isFirst;
        }, cancellation);
        _signal.Ring(LedgerTopic.TrainingChanged);
        _signal.Ring(LedgerTopic.JobSubmitted);
    }

    /// <summary>Submits jobs that older models answered to the new one; those that cannot be are told of.</summary>
    private static async Task AskAgainAsync(LedgerSession session, PromotionRecord promotion, DateTimeOffset now, CancellationToken cancellation)
    {
        var run = await TrainingRuns.FindAsync(session, promotion.Run, cancellation);
        foreach (var id in run!.Request.Promotion!.Again)
        {
            var job = await JobReader.FindAsync(session, id, cancellation);
            if (job is not { Request: { Open: false, Source.Kind: not SourceKind.OpenAiBatch } } || job.Request.Tenant != promotion.Tenant)
            {
                await TrainingRuns.NoteAsync(session, promotion.Run, TrainingEventLevel.Warn, $"{id} is not asked anew: it is gone, its sources were added one by one, or its lines name their models themselves", null, now, cancellation);
                continue;
            }

            var request = job.Request with { Model = promotion.Model, Sample = null, IdempotencyKey = $"promotion:{promotion.Run}:again:{id}" };
            var again = await JobSubmission.SubmitAsync(session, JobId.New(now), request, null, now, cancellation);
            await TrainingRuns.NoteAsync(session, promotion.Run, TrainingEventLevel.Info, $"{id} is asked anew of {promotion.Model} as {again.Id}", null, now, cancellation);
        }
    }

    /// <summary>Notes inside the write that takes a run in that its model may take a name over.</summary>
    internal static Task AskAsync(LedgerSession session, string run, string tenant, PromotionRequest request, string model, CancellationToken cancellation) =>
        session.Statement("insert_promotion").Set("@run", run).Set("@tenant", tenant).Set("@name", request.Name).Set("@model", model).ExecuteAsync(cancellation);

    /// <inheritdoc cref="TargetAsync(string, string, CancellationToken)"/>
    internal static Task<string?> TargetAsync(LedgerSession session, string tenant, string name, CancellationToken cancellation) =>
        session.Statement("find_promoted_model").Set("@tenant", tenant).Set("@name", name).FirstAsync(row => row.GetString(0), cancellation);
}

/// <summary>A run whose model may take a name over.</summary>
/// <param name="Run">The run's id.</param>
/// <param name="Tenant">Whose it is.</param>
/// <param name="Name">The name.</param>
/// <param name="Model">The model that the run makes.</param>
/// <param name="Holds">Whether the name has moved; null before it was judged.</param>
/// <param name="Reason">Why, with the figures.</param>
/// <param name="DecidedAt">When it was judged.</param>
public sealed record PromotionRecord(string Run, string Tenant, string Name, string Model, bool? Holds, string? Reason, DateTimeOffset? DecidedAt)
{
    internal static PromotionRecord Read(DbDataReader row) =>
        new(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), row.IsDBNull(4) ? null : row.GetBoolean(4), row.Text(5), row.TimeOrNull(6));
}
