using System.Text.Json;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Llava.Ledger.Webhooks;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Training;

/// <summary>
/// Training runs as workers have them: claimed under a lease, and written to only while it holds. A worker that lost its lease writes
/// nothing: each of these answers false, and the worker puts the run down.
/// </summary>
public sealed partial class TrainingLeases
{
    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly LedgerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<TrainingLeases> _logger;

    internal TrainingLeases(LedgerDatabase database, ILedgerSignal signal, LedgerOptions options, TimeProvider time, ILogger<TrainingLeases> logger) =>
        (_database, _signal, _options, _time, _logger) = (database, signal, options, time, logger);

    /// <summary>How long a lease holds without renewal.</summary>
    public TimeSpan Duration => _options.Lease;

    /// <summary>Claims the run of the highest priority that waits, or whose worker fell silent.</summary>
    /// <returns>The run; null when none waits.</returns>
    public async Task<ClaimedTrainingRun?> ClaimAsync(TrainingPhase phase, string owner, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        var until = (now + _options.Lease).ToUnixTimeMilliseconds();
        var claimed = await _database.WriteAsync(async (session, token) =>
        {
            var run = session.IsRepeat
                ? await Claim(session, "find_training_claim").FirstAsync(row => row.GetString(0), token)
                : null;
            run ??= await Claim(session, "claim_training_run").Set("@now", now.ToUnixTimeMilliseconds()).FirstAsync(row => row.GetString(0), token);
            return run is null ? null : await TrainingRuns.FindAsync(session, run, token);
        }, cancellation);
        if (claimed is null)
        {
            return null;
        }

        Claimed(claimed.Id, owner, claimed.State, claimed.Losses);
        return new(new(claimed.Id, owner, claimed.Fence), claimed);

        SqlStatement Claim(LedgerSession session, string statement) => session.Statement(statement)
            .Set("@owner", owner)
            .Set("@until", until)
            .Set("@validates", phase == TrainingPhase.Validate);
    }

    /// <summary>Keeps the lease for another while.</summary>
    /// <returns>The state that the run is in now; null when the lease is lost.</returns>
    public Task<TrainingRunState?> RenewAsync(TrainingLease lease, CancellationToken cancellation = default) =>
        _database.WriteAsync(async (session, token) => await ForLease(session, "renew_training_lease", lease)
            .Set("@until", (_time.GetUtcNow() + _options.Lease).ToUnixTimeMilliseconds())
            .FirstAsync(row => row.GetString(0), token) is { } state ? (TrainingRunState?)TrainingRunStates.Table.Parse(state) : null, cancellation);

    /// <summary>Gives the run back; one that was being trained is queued again.</summary>
    public async Task ReleaseAsync(TrainingLease lease, CancellationToken cancellation = default)
    {
        await _database.WriteAsync((session, token) => ForLease(session, "release_training_run", lease).ExecuteAsync(token), cancellation);
        _signal.Ring(LedgerTopic.TrainingChanged);
    }

    /// <summary>Whether this run is to make room: one of higher priority waits, and none of lower priority is being trained that could.</summary>
    /// <returns>Id of the run that waits; null for none.</returns>
    public Task<string?> FindMoreUrgentAsync(TrainingLease lease, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("find_urgent_training_run").Set("@id", lease.Run).FirstAsync(row => row.GetString(0), token), cancellation);

    /// <summary>Ends the lease as if its worker were gone: the run counts a loss, and whoever takes it next goes on from its last training checkpoint.</summary>
    public async Task AbandonAsync(TrainingLease lease, CancellationToken cancellation = default)
    {
        await _database.WriteAsync((session, token) => ForLease(session, "abandon_training_run", lease).ExecuteAsync(token), cancellation);
        _signal.Ring(LedgerTopic.TrainingChanged);
    }

    /// <summary>Notes something that happened.</summary>
    public Task<bool> NoteAsync(TrainingLease lease, TrainingEventLevel level, string message, CancellationToken cancellation = default) =>
        WriteAsync(lease, (session, token) => TrainingRuns.NoteAsync(session, lease.Run, level, message, null, _time.GetUtcNow(), token), cancellation);

    /// <summary>The files are sound: the run waits to be trained.</summary>
    /// <param name="lease">The claim, which ends.</param>
    /// <param name="settings">Settings with everything chosen.</param>
    /// <param name="steps">Optimizer steps there will be.</param>
    /// <param name="skipped">Rows that are left out.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public async Task<bool> QueueAsync(TrainingLease lease, TrainingSettings settings, int steps, IReadOnlyList<RowFinding> skipped, CancellationToken cancellation = default)
    {
        var isMine = await WriteAsync(lease, async (session, token) =>
        {
            await TrainingRuns.NoteAsync(session, lease.Run, TrainingEventLevel.Info, "Files validated, moving job to queued state", null, _time.GetUtcNow(), token);
            await ForLease(session, "queue_training_run", lease)
                .Set("@resolved", JsonSerializer.Serialize(settings, RequestJson.Options))
                .Set("@findings", WriteFindings(skipped))
                .Set("@steps", steps)
                .ExecuteAsync(token);
        }, cancellation);
        _signal.Ring(LedgerTopic.TrainingChanged);
        return isMine;
    }

    /// <summary>Puts the run down until somebody has done what is needed and resumes it.</summary>
    /// <param name="lease">The claim, which ends.</param>
    /// <param name="reason">What is needed.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<bool> PauseAsync(TrainingLease lease, string reason, CancellationToken cancellation = default) => WriteAsync(lease, async (session, token) =>
    {
        await TrainingRuns.NoteAsync(session, lease.Run, TrainingEventLevel.Warn, $"Fine-tuning job paused: {reason}", null, _time.GetUtcNow(), token);
        await ForLease(session, "pause_training_run", lease).ExecuteAsync(token);
    }, cancellation);

    /// <summary>Records a step.</summary>
    /// <param name="lease">The claim.</param>
    /// <param name="metric">What the step came to; recorded again it takes the place of what was there.</param>
    /// <param name="steps">Optimizer steps of the whole run.</param>
    /// <param name="finish">When the run will be done at this pace.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<bool> AdvanceAsync(TrainingLease lease, TrainingMetric metric, int steps, DateTimeOffset finish, CancellationToken cancellation = default) =>
        WriteAsync(lease, async (session, token) =>
        {
            var now = _time.GetUtcNow();
            await session.Statement("upsert_training_metric")
                .Set("@id", lease.Run)
                .Set("@step", metric.Step)
                .Set("@loss", metric.Loss)
                .Set("@accuracy", metric.Accuracy)
                .Set("@rate", metric.LearningRate)
                .Set("@norm", metric.GradientNorm)
                .Set("@tokens", metric.Tokens)
                .Set("@speed", metric.TokensPerSecond)
                .Set("@waited", metric.Waited.TotalSeconds)
                .Set("@valid_loss", metric.ValidLoss)
                .Set("@valid_accuracy", metric.ValidAccuracy)
                .Set("@now", now.ToUnixTimeMilliseconds())
                .ExecuteAsync(token);
            await session.Statement("note_training_progress")
                .Set("@id", lease.Run)
                .Set("@step", metric.Step)
                .Set("@steps", steps)
                .Set("@finish", finish.ToUnixTimeMilliseconds())
                .ExecuteAsync(token);
            await TrainingRuns.NoteAsync(session, lease.Run, TrainingEventLevel.Info, TrainingMetricText.Describe(metric, steps), TrainingMetricText.Json(metric, steps), now, token);
        }, cancellation);

    /// <summary>Records a training checkpoint that is complete on disk.</summary>
    /// <param name="lease">The claim.</param>
    /// <param name="step">Optimizer steps done.</param>
    /// <param name="keep">How many of the newest are still on disk.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<bool> CheckpointAsync(TrainingLease lease, int step, int keep, CancellationToken cancellation = default) =>
        WriteAsync(lease, async (session, token) =>
        {
            var now = _time.GetUtcNow();
            await session.Statement("insert_training_checkpoint").Set("@id", lease.Run).Set("@step", step).Set("@now", now.ToUnixTimeMilliseconds()).ExecuteAsync(token);
            await session.Statement("trim_training_checkpoints").Set("@id", lease.Run).Set("@keep", keep).ExecuteAsync(token);
            await session.Statement("forget_training_losses").Set("@id", lease.Run).ExecuteAsync(token);
            await TrainingRuns.NoteAsync(session, lease.Run, TrainingEventLevel.Info, FormattableString.Invariant($"Checkpoint created at step {step}"), null, now, token);
        }, cancellation);

    /// <summary>The model is there; the run is over.</summary>
    /// <param name="lease">The claim, which ends.</param>
    /// <param name="resultFile">Id of the file with its metrics.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<bool> SucceedAsync(TrainingLease lease, string resultFile, CancellationToken cancellation = default) =>
        EndAsync(lease, TrainingRunState.Succeeded, null, null, resultFile, "The job has successfully completed", cancellation);

    /// <summary>The run came to nothing.</summary>
    /// <param name="lease">The claim, which ends.</param>
    /// <param name="failure">Why.</param>
    /// <param name="findings">Rows that are to blame, and those that were left out; null keeps what is known.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<bool> FailAsync(TrainingLease lease, TrainingFailure failure, IReadOnlyList<RowFinding>? findings = null, CancellationToken cancellation = default) =>
        EndAsync(lease, TrainingRunState.Failed, failure, findings, null, $"Fine-tuning job failed: {failure.Message}", cancellation);

    private async Task<bool> EndAsync(
        TrainingLease lease, TrainingRunState state, TrainingFailure? failure, IReadOnlyList<RowFinding>? findings, string? file, string message, CancellationToken cancellation)
    {
        var now = _time.GetUtcNow();
        var isEnded = await _database.WriteAsync(async (session, token) =>
        {
            var tenant = await ForLease(session, "end_training_run", lease)
                .Set("@state", state.WireName())
                .Set("@now", now.ToUnixTimeMilliseconds())
                .Set("@code", failure?.Code)
                .Set("@message", PostgresRows.Storable(failure?.Message))
                .Set("@param", failure?.Param)
                .Set("@findings", findings is null ? null : WriteFindings(findings))
                .Set("@file", file)
                .FirstAsync(row => row.GetString(0), token);
            if (tenant is not null)
            {
                await TrainingRuns.NoteAsync(session, lease.Run, failure is null ? TrainingEventLevel.Info : TrainingEventLevel.Error, message, null, now, token);
                await WebhookEvent.OfTraining(lease.Run, state, now).AddAsync(session, tenant, token);
                await TrainingChain.EndedAsync(session, lease.Run, state, now, token);
            }

            return tenant is not null || (session.IsRepeat && await TrainingRuns.FindAsync(session, lease.Run, token) is { } found && found.Fence == lease.Fence && found.State == state);
        }, cancellation);
        _signal.Ring(LedgerTopic.TrainingChanged);
        if (isEnded)
        {
            Ended(lease.Run, state, failure?.Message ?? "");
        }

        return isEnded;
    }

    private Task<bool> WriteAsync(TrainingLease lease, Func<LedgerSession, CancellationToken, Task> write, CancellationToken cancellation) =>
        _database.WriteAsync(async (session, token) =>
        {
            if (await ForLease(session, "hold_training_lease", lease).FirstAsync(row => row.GetString(0), token) is null)
            {
                // What ended the lease may have been this write, whose commit nobody confirmed.
                return session.IsRepeat && await TrainingRuns.FindAsync(session, lease.Run, token) is { Owner: null } found && found.Fence == lease.Fence;
            }

            await write(session, token);
            return true;
        }, cancellation);

    private static string WriteFindings(IReadOnlyList<RowFinding> findings) => PostgresRows.Storable(JsonSerializer.Serialize(findings.Take(RowFinding.Most), RequestJson.Options))!;

    private static SqlStatement ForLease(LedgerSession session, string statement, TrainingLease lease) => session.Statement(statement)
        .Set("@id", lease.Run)
        .Set("@owner", lease.Owner)
        .Set("@fence", lease.Fence);

    [LoggerMessage(2072, LogLevel.Information, "Training run {Run} is {Owner}'s: {State}, {Losses} workers lost since its last training checkpoint")]
    private partial void Claimed(string run, string owner, TrainingRunState state, int losses);

    [LoggerMessage(2073, LogLevel.Information, "Training run {Run} {State} {Reason}")]
    private partial void Ended(string run, TrainingRunState state, string reason);
}
