using System.Security.Cryptography;
using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Audit;
using Llava.Ledger.Promotions;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Llava.Ledger.Webhooks;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Training;

/// <summary>Training runs as those see and steer them who ask for them.</summary>
public sealed partial class TrainingRuns
{
    private const string IdPrefix = "ftjob-";
    private const int NameDigits = 8;

    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly TimeProvider _time;
    private readonly ILogger<TrainingRuns> _logger;

    internal TrainingRuns(LedgerDatabase database, ILedgerSignal signal, TimeProvider time, ILogger<TrainingRuns> logger) =>
        (_database, _signal, _time, _logger) = (database, signal, time, logger);

    /// <summary>Takes a run in; a worker checks its files next, once the run that it comes after has succeeded.</summary>
    /// <exception cref="InvalidTrainingRequestException">It breaks rules; all are listed.</exception>
    public async Task<TrainingRunRecord> CreateAsync(TrainingRequest request, CancellationToken cancellation = default)
    {
        request = await _database.ReadAsync((session, token) => TrainingChain.JoinAsync(session, request, token), cancellation);
        if (request.Findings() is { Count: > 0 } findings)
        {
            throw new InvalidTrainingRequestException(findings);
        }

        var now = _time.GetUtcNow();
        var id = NewId(now);
        await _database.WriteAsync((session, token) => CreateAsync(session, id, request, now, token), cancellation);
        _signal.Ring(LedgerTopic.TrainingChanged);
        Created(id, request.Tenant, request.Model);
        return await ReadAsync(id, null, cancellation);
    }

    /// <summary>The id of a run that comes in now.</summary>
    internal static string NewId(DateTimeOffset now) => IdPrefix + Guid.CreateVersion7(now).ToString("N");

    /// <summary>The same inside a write of the caller's, who has checked the request and rings when it is committed.</summary>
    /// <returns>False when there is a run of this id.</returns>
    internal static async Task<bool> CreateAsync(LedgerSession session, string id, TrainingRequest request, DateTimeOffset now, CancellationToken cancellation)
    {
        request = request with { Model = await PromotionStore.TargetAsync(session, request.Tenant, request.Model, cancellation) ?? request.Model };
        await TrainedModelOwners.RequireOwnAsync(session, request, cancellation);
        var state = await TrainingChain.BeginAsync(session, request, cancellation);
        var model = NameFor(request);
        var isNew = await session.Statement("insert_training_run")
            .Set("@id", id)
            .Set("@tenant", request.Tenant)
            .Set("@state", state.WireName())
            .Set("@previous", request.After)
            .Set("@priority", request.Priority)
            .Set("@request", JsonSerializer.Serialize(request, RequestJson.Options))
            .Set("@model", model)
            .Set("@now", now.ToUnixTimeMilliseconds())
            .ExecuteAsync(cancellation) == 1;
        if (isNew)
        {
            if (request.Promotion is { } promotion)
            {
                await PromotionStore.AskAsync(session, id, request.Tenant, promotion, model, cancellation);
            }

            await NoteAsync(session, id, TrainingEventLevel.Info, $"Created fine-tuning job: {id}", null, now, cancellation);
            if (state == TrainingRunState.Waiting)
            {
                await NoteAsync(session, id, TrainingEventLevel.Info, $"Waiting until {request.After} has succeeded, whose model it starts from", null, now, cancellation);
            }

            await AuditChain.AppendAsync(session, now, AuditActions.TrainingCreated, request.Tenant, id, new() { ["model"] = request.Model, ["file"] = request.TrainingFile }, cancellation);
        }

        return isNew;
    }

    /// <summary>The run; null when there is none or it is another tenant's.</summary>
    /// <param name="run">Its id.</param>
    /// <param name="tenant">Only this one's; null for all.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public async Task<TrainingRunRecord?> FindAsync(string run, string? tenant, CancellationToken cancellation = default) =>
        await _database.ReadAsync((session, token) => FindAsync(session, run, token), cancellation) is { } found && (tenant is null || found.Request.Tenant == tenant) ? found : null;

    /// <inheritdoc cref="FindAsync(string, string?, CancellationToken)"/>
    /// <exception cref="TrainingRunNotFoundException">There is none.</exception>
    public async Task<TrainingRunRecord> ReadAsync(string run, string? tenant, CancellationToken cancellation = default) =>
        await FindAsync(run, tenant, cancellation) ?? throw new TrainingRunNotFoundException(run);

    /// <summary>Runs, the newest first.</summary>
    /// <param name="tenant">Only this one's; null for all.</param>
    /// <param name="after">Only those behind this id; null for all.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<List<TrainingRunRecord>> ListAsync(string? tenant, string? after, int limit, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_training_runs")
            .Set("@tenant", tenant)
            .Set("@after", after)
            .Set("@limit", limit)
            .ListAsync(TrainingRunRecord.Read, token), cancellation);

    /// <summary>Runs that come after this one, the oldest first.</summary>
    public Task<List<TrainingRunRecord>> ListFollowersAsync(string run, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_training_followers").Set("@id", run).ListAsync(TrainingRunRecord.Read, token), cancellation);

    /// <summary>Runs whose model was made, those too whose model was deleted since.</summary>
    public Task<List<TrainingRunRecord>> ListSucceededAsync(CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_trained_models").ListAsync(TrainingRunRecord.Read, token), cancellation);

    /// <summary>Runs that wait for a worker, in the order in which they will be taken.</summary>
    public Task<List<TrainingRunRecord>> ListWaitingAsync(CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_waiting_training_runs").ListAsync(TrainingRunRecord.Read, token), cancellation);

    /// <summary>Every step of the run so far, in order.</summary>
    public Task<List<TrainingMetric>> MetricsAsync(string run, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_training_metrics").Set("@id", run).ListAsync(TrainingMetric.Read, token), cancellation);

    /// <summary>What happened to the run, the newest first.</summary>
    /// <param name="run">Its id.</param>
    /// <param name="before">Only events before this number; null for all.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<List<TrainingEvent>> EventsAsync(string run, int? before, int limit, CancellationToken cancellation = default) =>
        ListAsync("list_training_events", run, before, limit, TrainingEvent.Read, cancellation);

    /// <summary>The run's training checkpoints that are on disk, the newest first.</summary>
    /// <param name="run">Its id.</param>
    /// <param name="before">Only those before this step; null for all.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<List<TrainingCheckpointRecord>> CheckpointsAsync(string run, int? before, int limit, CancellationToken cancellation = default) =>
        ListAsync("list_training_checkpoints", run, before, limit, TrainingCheckpointRecord.Read, cancellation);

    /// <summary>Puts the run down at its next step; what it has learned is kept.</summary>
    /// <exception cref="TrainingRunNotFoundException">There is none.</exception>
    /// <exception cref="TrainingRunTransitionException">It is over.</exception>
    public Task<TrainingRunRecord> PauseAsync(string run, string? tenant = null, CancellationToken cancellation = default) =>
        MoveAsync(run, tenant, AuditActions.TrainingPaused, To(TrainingRunState.Paused), "Fine-tuning job paused", cancellation);

    /// <summary>Lets a paused run go on.</summary>
    /// <inheritdoc cref="PauseAsync"/>
    public Task<TrainingRunRecord> ResumeAsync(string run, string? tenant = null, CancellationToken cancellation = default) =>
        MoveAsync(run, tenant, AuditActions.TrainingResumed, TrainingChain.ResumedAsync, "Fine-tuning job resumed", cancellation);

    /// <summary>Ends the run at its next step, without a model.</summary>
    /// <inheritdoc cref="PauseAsync"/>
    public Task<TrainingRunRecord> CancelAsync(string run, string? tenant = null, CancellationToken cancellation = default) =>
        MoveAsync(run, tenant, AuditActions.TrainingCancelled, To(TrainingRunState.Cancelled), "Fine-tuning job cancelled", cancellation);

    /// <summary>Takes a model away that a run has made; its bytes go as soon as a worker that has them looks.</summary>
    /// <returns>False when no run of the tenant has made such a model, or it is gone already.</returns>
    public async Task<bool> DeleteModelAsync(string model, string? tenant, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        var isDeleted = await _database.WriteAsync(async (session, token) =>
        {
            var origin = await session.Statement("delete_trained_model")
                .Set("@model", model)
                .Set("@tenant", tenant)
                .Set("@now", now.ToUnixTimeMilliseconds())
                .FirstAsync(row => new { Run = row.GetString(0), Tenant = row.GetString(1) }, token);
            if (origin is not null)
            {
                await AuditChain.AppendAsync(session, now, AuditActions.ModelDeleted, origin.Tenant, model, new() { ["run"] = origin.Run }, token);
            }

            return origin is not null;
        }, cancellation);
        _signal.Ring(LedgerTopic.TrainingChanged);
        return isDeleted;
    }

    internal static Task<TrainingRunRecord?> FindAsync(LedgerSession session, string run, CancellationToken cancellation) =>
        session.Statement("read_training_run").Set("@id", run).FirstAsync(TrainingRunRecord.Read, cancellation);

    /// <summary>Notes an event; the run is held until the commit, so that numbers have no gaps and no doubles.</summary>
    internal static async Task NoteAsync(
        LedgerSession session, string run, TrainingEventLevel level, string message, string? data, DateTimeOffset now, CancellationToken cancellation)
    {
        var number = await session.Statement("number_training_event").Set("@id", run).FirstAsync(row => row.GetInt32(0), cancellation);
        await session.Statement("insert_training_event")
            .Set("@id", run)
            .Set("@no", number)
            .Set("@level", level.ToString().ToLowerInvariant())
            .Set("@message", PostgresRows.Storable(message))
            .Set("@data", data)
            .Set("@now", now.ToUnixTimeMilliseconds())
            .ExecuteAsync(cancellation);
    }

    private Task<List<T>> ListAsync<T>(string statement, string run, int? before, int limit, Func<System.Data.Common.DbDataReader, T> read, CancellationToken cancellation) =>
        _database.ReadAsync((session, token) => session.Statement(statement)
            .Set("@id", run)
            .Set("@before", before ?? int.MaxValue)
            .Set("@limit", limit)
            .ListAsync(read, token), cancellation);

    /// <summary>As OpenAI names its own; the digits at the end make it one of a kind.</summary>
    private static string NameFor(TrainingRequest request)
    {
        var folder = Path.GetFileName(Path.TrimEndingDirectorySeparator(request.Model));
        return $"{TrainingRunRecord.ModelPrefix}{folder.Split(':') switch { ["ft", var origin, ..] => origin, _ => folder }}:{request.Tenant}:{request.Suffix}:{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(NameDigits / 2))}";
    }

    private static NextState To(TrainingRunState state) => (_, _, _) => Task.FromResult(state);

    private async Task<TrainingRunRecord> MoveAsync(
        string run, string? tenant, string action, NextState to, string message, CancellationToken cancellation)
    {
        var now = _time.GetUtcNow();
        var moved = await _database.WriteAsync(async (session, token) =>
        {
            await session.Statement("hold_training_run").Set("@id", run).ExecuteAsync(token);
            var found = await FindAsync(session, run, token);
            if (found is null || (tenant is not null && found.Request.Tenant != tenant))
            {
                throw new TrainingRunNotFoundException(run);
            }

            var next = await to(session, found, token);
            if (session.IsRepeat && found.State == next)
            {
                return found;
            }

            if (!TrainingRunStates.Table.Allows(found.State, next) || (next is TrainingRunState.Waiting or TrainingRunState.Queued or TrainingRunState.ValidatingFiles && found.State != TrainingRunState.Paused))
            {
                throw new TrainingRunTransitionException(run, found.State, next);
            }

            await session.Statement("move_training_run")
                .Set("@id", run)
                .Set("@from", found.State.WireName())
                .Set("@state", next.WireName())
                .Set("@ends", next.IsFinal())
                .Set("@now", now.ToUnixTimeMilliseconds())
                .ExecuteAsync(token);
            await NoteAsync(session, run, TrainingEventLevel.Info, message, null, now, token);
            if (next.IsFinal())
            {
                await WebhookEvent.OfTraining(run, next, now).AddAsync(session, found.Request.Tenant, token);
                await TrainingChain.EndedAsync(session, run, next, now, token);
            }

            await AuditChain.AppendAsync(session, now, action, found.Request.Tenant, run, null, token);
            return (await FindAsync(session, run, token))!;
        }, cancellation);
        _signal.Ring(LedgerTopic.TrainingChanged);
        Moved(run, moved.State);
        return moved;
    }

    /// <summary>Where a run goes, as things are inside the write.</summary>
    private delegate Task<TrainingRunState> NextState(LedgerSession session, TrainingRunRecord run, CancellationToken cancellation);

    [LoggerMessage(2074, LogLevel.Information, "Training run {Run} of tenant {Tenant} from model {Model} was taken in")]
    private partial void Created(string run, string tenant, string model);

    [LoggerMessage(2075, LogLevel.Information, "Training run {Run} is {State} on request")]
    private partial void Moved(string run, TrainingRunState state);
}
