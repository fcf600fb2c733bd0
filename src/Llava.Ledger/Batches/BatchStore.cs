using System.Data.Common;
using System.Diagnostics;
using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger.Audit;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Batches;

/// <summary>Jobs that were submitted as OpenAI batches.</summary>
public sealed class BatchStore
{
    private const string IdPrefix = "batch_";

    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly TimeProvider _time;

    internal BatchStore(LedgerDatabase database, ILedgerSignal signal, TimeProvider time)
    {
        _database = database;
        _signal = signal;
        _time = time;
    }

    /// <summary>Records a batch and the job that does its work, both or neither.</summary>
    /// <param name="description">What its sender said.</param>
    /// <param name="request">The job; the batch belongs to its tenant.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <exception cref="InvalidJobRequestException">The job breaks rules; all are listed.</exception>
    public async Task<BatchRecord> CreateAsync(BatchDescription description, JobRequest request, CancellationToken cancellation = default)
    {
        if (request.Validate() is { Count: > 0 } findings)
        {
            throw new InvalidJobRequestException(findings);
        }

        var now = _time.GetUtcNow();
        var trace = Activity.Current?.Id;
        BatchRecord batch = new() { Id = IdPrefix + Guid.CreateVersion7(now).ToString("N"), Tenant = request.Tenant, Job = JobId.New(now), CreatedAt = now, Description = description };
        await _database.WriteAsync(async (session, token) =>
        {
            await JobSubmission.SubmitAsync(session, batch.Job, request, trace, now, token);
            return await session.Statement("insert_batch")
                .Set("@id", batch.Id)
                .Set("@tenant", batch.Tenant)
                .Set("@job", batch.Job.Value)
                .Set("@input", description.InputFile)
                .Set("@endpoint", description.Endpoint)
                .Set("@window", description.CompletionWindow)
                .Set("@metadata", description.Metadata is { } metadata ? JsonSerializer.Serialize(metadata, LedgerJson.Default.IReadOnlyDictionaryStringString) : null)
                .Set("@lifetime", (long?)description.OutputLifetime?.TotalMilliseconds)
                .Set("@now", now.ToUnixTimeMilliseconds())
                .ExecuteAsync(token);
        }, cancellation);
        _signal.Ring(LedgerTopic.JobSubmitted);
        return batch;
    }

    /// <summary>The batch; null when there is none, or it is not this tenant's.</summary>
    /// <param name="id">Its id, as somebody wrote it.</param>
    /// <param name="tenant">The tenant whose batches are looked at; null for all.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<BatchRecord?> FindAsync(string id, string? tenant, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => FindAsync(session, id, tenant, token), cancellation);

    /// <summary>Batches, the newest first.</summary>
    /// <param name="tenant">Only this tenant's; null for all.</param>
    /// <param name="after">Only those older than this id; it need not be there any more.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<List<BatchRecord>> ListAsync(string? tenant, string? after, int limit, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_batches").Set("@tenant", tenant).Set("@after", after).Set("@limit", limit).ListAsync(Read, token), cancellation);

    /// <summary>Ends the batch: what is answered stays. Asking again changes nothing.</summary>
    /// <exception cref="JobTransitionException">It is already over.</exception>
    public async Task<BatchRecord> CancelAsync(BatchRecord batch, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        var cancelled = await _database.WriteAsync(async (session, token) =>
        {
            var isNew = await JobControl.CancelAsync(session, batch.Job, now, token);
            await session.Statement("note_batch_cancelling").Set("@id", batch.Id).Set("@now", now.ToUnixTimeMilliseconds()).ExecuteAsync(token);
            if (isNew)
            {
                await AuditChain.AppendAsync(session, now, AuditActions.JobCancelled, batch.Tenant, batch.Job.ToString(), new() { ["batch"] = batch.Id }, token);
            }

            return await FindAsync(session, batch.Id, batch.Tenant, token);
        }, cancellation);
        foreach (var topic in Enum.GetValues<LedgerTopic>())
        {
            _signal.Ring(topic);
        }

        return cancelled ?? batch;
    }

    /// <summary>How many jobs for the same model are handed out before this one.</summary>
    public Task<int> AheadAsync(JobRecord job, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("count_jobs_ahead")
            .Set("@job", job.Id.Value)
            .Set("@model", job.Request.Model)
            .Set("@priority", job.Request.Priority)
            .FirstAsync(row => row.GetInt32(0), token), cancellation);

    /// <summary>Batches whose job is over and whose files are not made.</summary>
    internal Task<List<BatchRecord>> UnpublishedAsync(CancellationToken cancellation) =>
        _database.ReadAsync((session, token) => session.Statement("list_batches_to_publish").ListAsync(Read, token), cancellation);

    internal static Task<BatchRecord?> FindAsync(LedgerSession session, string id, string? tenant, CancellationToken cancellation) =>
        session.Statement("read_batch").Set("@id", id).Set("@tenant", tenant).FirstAsync(Read, cancellation);

    /// <summary>Keeps why the input of the batch was refused that this job is, if it is one.</summary>
    internal static Task NoteAsync(LedgerSession session, JobId job, IReadOnlyList<SourceFinding> findings, CancellationToken cancellation) => findings.Count == 0
        ? Task.CompletedTask
        : session.Statement("note_batch_findings")
            .Set("@job", job.Value)
            .Set("@findings", JsonSerializer.Serialize(findings, LedgerJson.Default.IReadOnlyListSourceFinding))
            .ExecuteAsync(cancellation);

    private static BatchRecord Read(DbDataReader row) => new()
    {
        Id = row.GetString(0),
        Tenant = row.GetString(1),
        Job = new(row.GetInt64(2)),
        Description = new(row.GetString(3), row.GetString(4), row.GetString(5))
        {
            Metadata = row.Text(6) is { } metadata ? JsonSerializer.Deserialize(metadata, LedgerJson.Default.IReadOnlyDictionaryStringString) : null,
            OutputLifetime = row.IsDBNull(7) ? null : TimeSpan.FromMilliseconds(row.GetInt64(7)),
        },
        CreatedAt = row.Time(8),
        CancellingAt = row.TimeOrNull(9),
        Findings = row.Text(10) is { } findings ? JsonSerializer.Deserialize(findings, LedgerJson.Default.IReadOnlyListSourceFinding)! : [],
        OutputFile = row.Text(11),
        ErrorFile = row.Text(12),
        PublishedAt = row.TimeOrNull(13),
    };
}
