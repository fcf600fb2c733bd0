using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger.Audit;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Jobs;

/// <summary>Adds sources to open jobs, and closes those. Every change holds the job, so that none slips past its end.</summary>
public sealed partial class JobParts
{
    /// <summary>Most parts of a job.</summary>
    public const int MostParts = 10_000;

    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly TimeProvider _time;
    private readonly ILogger<JobParts> _logger;

    internal JobParts(LedgerDatabase database, ILedgerSignal signal, TimeProvider time, ILogger<JobParts> logger)
    {
        _database = database;
        _signal = signal;
        _time = time;
        _logger = logger;
    }

    /// <summary>Adds a source in one transaction; it will be read after those before it, whatever happens to this process afterwards.</summary>
    /// <returns>The part, and whether it is new: the same idempotency key finds the part it added before, even when the job is closed by now.</returns>
    /// <exception cref="InvalidJobRequestException">The request breaks rules; all are listed.</exception>
    /// <exception cref="JobNotFoundException">There is no such job.</exception>
    /// <exception cref="JobClosedException">The job is not open.</exception>
    /// <exception cref="TooManyPartsException">The job has <see cref="MostParts"/> parts.</exception>
    /// <exception cref="PartConflictException">The key added another source.</exception>
    public async Task<AppendedPart> AppendAsync(JobId job, PartRequest request, CancellationToken cancellation = default)
    {
        if (request.Validate() is { Count: > 0 } findings)
        {
            throw new InvalidJobRequestException(findings);
        }

        // Without a key of the caller's, one of our own finds the part again after a commit that nobody confirmed.
        var keyed = request with { IdempotencyKey = request.IdempotencyKey ?? $"part-{Guid.NewGuid():n}" };
        var now = DateTimeOffset.FromUnixTimeMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds());
        var appended = await _database.WriteAsync((session, token) => AppendAsync(session, job, keyed, now, token), cancellation);
        if (appended.IsNew)
        {
            PartAppended(appended.Part.Number, request.Source.Path, job);
            _signal.Ring(LedgerTopic.JobSubmitted);
        }

        return appended;
    }

    /// <summary>Lets the job end once all there is of it is answered. Closing what is closed changes nothing.</summary>
    /// <exception cref="JobNotFoundException">There is no such job.</exception>
    public async Task CloseAsync(JobId job, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        await _database.WriteAsync(async (session, token) =>
        {
            await session.Statement("hold_job").Set("@job", job.Value).ExecuteAsync(token);
            var record = await JobReader.FindAsync(session, job, token) ?? throw new JobNotFoundException(job);
            await session.Statement("close_job").Set("@job", job.Value).ExecuteAsync(token);
            if (record.IsOpen)
            {
                await AuditChain.AppendAsync(session, now, AuditActions.JobClosed, record.Request.Tenant, job.ToString(), null, token);
            }

            return true;
        }, cancellation);
        JobClosed(job);
        _signal.Ring(LedgerTopic.WorkFinished);
    }

    /// <summary>The job's parts in their order.</summary>
    public Task<List<PartRecord>> ListAsync(JobId job, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_parts").Set("@job", job.Value).ListAsync(PartRecord.Read, token), cancellation);

    /// <summary>Closes a job that ends before all of it is read, inside a write that holds the job.</summary>
    /// <param name="session">The write's session.</param>
    /// <param name="job">The job.</param>
    /// <param name="end">What became of the job, such as <c>cancelled</c>.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    internal static async Task CloseAsync(LedgerSession session, JobId job, string end, CancellationToken cancellation)
    {
        await session.Statement("close_job").Set("@job", job.Value).ExecuteAsync(cancellation);
        await session.Statement("fail_waiting_parts")
            .Set("@job", job.Value)
            .Set("@code", $"job_{end}")
            .Set("@message", $"The job was {end} before this part was read to its end.")
            .ExecuteAsync(cancellation);
    }

    private static async Task<AppendedPart> AppendAsync(LedgerSession session, JobId job, PartRequest request, DateTimeOffset now, CancellationToken cancellation)
    {
        await session.Statement("hold_job").Set("@job", job.Value).ExecuteAsync(cancellation);
        var record = await JobReader.FindAsync(session, job, cancellation) ?? throw new JobNotFoundException(job);
        var source = JsonSerializer.Serialize(request.Source, RequestJson.Options);
        if (await session.Statement("find_part_by_key").Set("@job", job.Value).Set("@key", request.IdempotencyKey).FirstAsync(PartRecord.Read, cancellation) is { } earlier)
        {
            return JsonSerializer.Serialize(earlier.Source, RequestJson.Options) == source
                ? new(earlier, session.IsRepeat && earlier.CreatedAt == now)
                : throw new PartConflictException(request.IdempotencyKey!, job, earlier.Number);
        }

        if (!record.IsOpen)
        {
            throw new JobClosedException(job, record.State);
        }

        var last = await session.Statement("last_part").Set("@job", job.Value).FirstAsync(row => row.GetInt32(0), cancellation);
        if (last >= MostParts)
        {
            throw new TooManyPartsException(job, MostParts);
        }

        await session.Statement("insert_part")
            .Set("@job", job.Value)
            .Set("@part", last + 1)
            .Set("@source", source)
            .Set("@key", request.IdempotencyKey)
            .Set("@now", now.ToUnixTimeMilliseconds())
            .ExecuteAsync(cancellation);
        await AuditChain.AppendAsync(session, now, AuditActions.JobAppended, record.Request.Tenant, job.ToString(), new() { ["part"] = last + 1, ["source"] = request.Source.Path }, cancellation);
        return new(new() { Number = last + 1, Source = request.Source, State = Contracts.States.PartState.Waiting, CreatedAt = now }, true);
    }

    [LoggerMessage(2006, LogLevel.Information, "Part {Part} from {Source} added to job {Job}")]
    private partial void PartAppended(int part, string source, JobId job);

    [LoggerMessage(2007, LogLevel.Information, "Job {Job} is closed: nothing more can be added")]
    private partial void JobClosed(JobId job);
}

/// <summary>The answer to an append.</summary>
/// <param name="Part">The part.</param>
/// <param name="IsNew">False when the idempotency key found an earlier part.</param>
public sealed record AppendedPart(PartRecord Part, bool IsNew);
