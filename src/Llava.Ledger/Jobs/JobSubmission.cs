using System.Diagnostics;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger.Audit;
using Llava.Ledger.Promotions;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Llava.Ledger.Telemetry;
using Llava.Ledger.Training;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Jobs;

/// <summary>Takes jobs in.</summary>
public sealed partial class JobSubmission
{
    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly TimeProvider _time;
    private readonly ILogger<JobSubmission> _logger;
    private readonly IEnumerable<IAnswerShapeCheck> _shapes;

    internal JobSubmission(LedgerDatabase database, ILedgerSignal signal, TimeProvider time, ILogger<JobSubmission> logger, IEnumerable<IAnswerShapeCheck> shapes)
    {
        _shapes = shapes;
        _database = database;
        _signal = signal;
        _time = time;
        _logger = logger;
    }

    /// <summary>Records the job in one transaction; it will be worked on, whatever happens to this process afterwards.</summary>
    /// <returns>The job, and whether it is new: the same idempotency key finds the job it made before.</returns>
    /// <exception cref="InvalidJobRequestException">The request breaks rules; all are listed.</exception>
    /// <exception cref="IdempotencyConflictException">The key made another job from a different request.</exception>
    public async Task<SubmittedJob> SubmitAsync(JobRequest request, CancellationToken cancellation = default)
    {
        List<Finding> findings = [.. request.Validate()];
        findings.AddRange(findings.Count > 0 ? [] : _shapes.SelectMany(shape => shape.Check(request.Generation)));
        if (findings.Count > 0)
        {
            throw new InvalidJobRequestException(findings);
        }

        var now = _time.GetUtcNow();
        var job = JobId.New(now);
        using var activity = LedgerActivity.StartSubmit(job, request);
        var trace = (activity ?? Activity.Current)?.Id; // asked here: a write may run on a thread of its own
        var submitted = await _database.WriteAsync((session, token) => SubmitAsync(session, job, request, trace, now, token), cancellation);

        if (submitted.IsNew)
        {
            JobSubmitted(job, request.Model, request.Source.Path);
            _signal.Ring(LedgerTopic.JobSubmitted);
        }

        return submitted;
    }

    /// <summary>The same inside a write of the caller's, who has checked the request and rings when it is committed.</summary>
    /// <exception cref="InvalidJobRequestException">It asks for another tenant's model.</exception>
    internal static async Task<SubmittedJob> SubmitAsync(LedgerSession session, JobId job, JobRequest request, string? trace, DateTimeOffset now, CancellationToken cancellation)
    {
        var asked = request.Model;
        request = request with { Model = await PromotionStore.TargetAsync(session, request.Tenant, asked, cancellation) ?? asked };
        await TrainedModelOwners.RequireOwnAsync(session, request, cancellation);
        var isNew = await session.Statement("insert_job")
            .Set("@job", job.Value)
            .Set("@tenant", request.Tenant)
            .Set("@priority", request.Priority)
            .Set("@model", request.Model)
            .Set("@request", RequestJson.Write(request))
            .Set("@key", request.IdempotencyKey)
            .Set("@now", now.ToUnixTimeMilliseconds())
            .Set("@trace", trace)
            .Set("@open", request.Open)
            .Set("@expires", (now + request.CompletionWindow)?.ToUnixTimeMilliseconds())
            .ExecuteAsync(cancellation) == 1;
        if (isNew)
        {
            await AuditChain.AppendAsync(session, now, AuditActions.JobSubmitted, request.Tenant, job.ToString(), new() { ["model"] = request.Model, ["source"] = request.Source.Path }, cancellation);
        }

        return isNew || (session.IsRepeat && await JobReader.FindAsync(session, job, cancellation) is not null)
            ? new SubmittedJob(job, true)
            : await FindEarlierAsync(session, request, isByName: asked != request.Model, cancellation);
    }

    /// <summary>The job that the key made before. What a promoted name stood for then may be another model than now.</summary>
    private static async Task<SubmittedJob> FindEarlierAsync(LedgerSession session, JobRequest request, bool isByName, CancellationToken cancellation)
    {
        var earlier = await session.Statement("find_job_by_key")
            .Set("@tenant", request.Tenant)
            .Set("@key", request.IdempotencyKey)
            .FirstAsync(JobRecord.Read, cancellation) ?? throw new InvalidOperationException("Two jobs drew the same identity; submit again.");
        return Identity(isByName ? earlier.Request with { Model = request.Model } : earlier.Request) == Identity(request)
            ? new(earlier.Id, false)
            : throw new IdempotencyConflictException(request.IdempotencyKey!, earlier.Id);
    }

    /// <summary>What makes two requests the same: a sample is a stop on the way to the same end.</summary>
    private static string Identity(JobRequest request) => RequestJson.Write(request with { Sample = null });

    [LoggerMessage(2001, LogLevel.Information, "Job {Job} submitted for model {Model} from {Source}")]
    private partial void JobSubmitted(JobId job, string model, string source);
}

/// <summary>The answer to a submission.</summary>
/// <param name="Id">The job.</param>
/// <param name="IsNew">False when the idempotency key found an earlier job.</param>
public sealed record SubmittedJob(JobId Id, bool IsNew);
