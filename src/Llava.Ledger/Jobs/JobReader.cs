using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Scores;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Jobs;

/// <summary>Reads jobs and how far they are.</summary>
public sealed class JobReader
{
    private readonly LedgerDatabase _database;

    internal JobReader(LedgerDatabase database) => _database = database;

    /// <summary>The job, or null when there is none.</summary>
    public Task<JobRecord?> FindAsync(JobId job, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => FindAsync(session, job, token), cancellation);

    /// <summary>The job.</summary>
    /// <exception cref="JobNotFoundException">There is none.</exception>
    public async Task<JobRecord> ReadAsync(JobId job, CancellationToken cancellation = default) =>
        await FindAsync(job, cancellation) ?? throw new JobNotFoundException(job);

    /// <summary>Jobs, the newest first.</summary>
    public Task<List<JobRecord>> ListAsync(JobFilter filter, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_jobs")
            .Set("@tenant", filter.Tenant)
            .Set("@state", filter.State?.WireName())
            .Set("@model", filter.Model)
            .Set("@text", filter.Text is { } text ? LikePattern.Containing(RequestJson.Text(text)) : null)
            .Set("@id", JobId.TryParse(filter.Text, null, out var id) ? id.Value : (long?)null)
            .Set("@before", filter.Before?.Value ?? long.MaxValue)
            .Set("@limit", filter.Limit)
            .ListAsync(JobRecord.Read, token), cancellation);

    /// <summary>Models that jobs ask for, by name.</summary>
    /// <param name="tenant">Only this tenant's jobs; null for all.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<List<string>> ModelsAsync(string? tenant, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_models_of_jobs").Set("@tenant", tenant).ListAsync(row => row.GetString(0), token), cancellation);

    /// <summary>Tenants that have jobs, by name.</summary>
    public Task<List<string>> TenantsAsync(CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_tenants_of_jobs").ListAsync(row => row.GetString(0), token), cancellation);

    /// <summary>How far the job is: counted now, or as it was closed.</summary>
    /// <exception cref="JobNotFoundException">There is no such job.</exception>
    public Task<JobProgress> ProgressAsync(JobId job, CancellationToken cancellation = default) =>
        _database.ReadAsync(async (session, token) =>
        {
            var record = await FindAsync(session, job, token) ?? throw new JobNotFoundException(job);
            return record.FinalProgress ?? await CountAsync(session, record, token);
        }, cancellation);

    /// <summary>The newest jobs of a tenant whose request names something, such as a file's id. Looks at every job: ask for one thing at a time.</summary>
    public Task<List<JobId>> NamingAsync(string named, string tenant, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_jobs_naming").Set("@tenant", tenant).Set("@named", named).ListAsync(row => new JobId(row.GetInt64(0)), token), cancellation);

    internal static Task<JobRecord?> FindAsync(LedgerSession session, JobId job, CancellationToken cancellation) =>
        session.Statement("read_job").Set("@job", job.Value).FirstAsync(JobRecord.Read, cancellation);

    internal static async Task<JobProgress> CountAsync(LedgerSession session, JobRecord job, CancellationToken cancellation)
    {
        var counts = await session.Statement("count_results").Set("@job", job.Id.Value).ListAsync(OutcomeCount.Read, cancellation);
        var answers = counts.FirstOrDefault(count => count.Outcome == ItemOutcome.Succeeded);
        return new()
        {
            Total = job.ItemCount,
            Succeeded = answers?.Count ?? 0,
            Failed = CountOf(ItemOutcome.Failed),
            Cancelled = CountOf(ItemOutcome.Cancelled),
            Expired = CountOf(ItemOutcome.Expired),
            PromptTokens = counts.Sum(count => count.PromptTokens),
            CachedTokens = counts.Sum(count => count.CachedTokens),
            CompletionTokens = counts.Sum(count => count.CompletionTokens),
            Copied = counts.Sum(count => count.Copied),
            Cached = counts.Sum(count => count.Cached),
            FirstAnswerAt = answers?.First,
            LastAnswerAt = answers?.Last,
            Score = job.Request.Expected is null ? null : await JobScore.CountAsync(session, job.Id, cancellation),
        };

        long CountOf(ItemOutcome outcome) => counts.FirstOrDefault(count => count.Outcome == outcome)?.Count ?? 0;
    }

    private sealed record OutcomeCount(ItemOutcome Outcome, long Count, long PromptTokens, long CachedTokens, long CompletionTokens, DateTimeOffset First, DateTimeOffset Last, long Copied, long Cached)
    {
        public static OutcomeCount Read(System.Data.Common.DbDataReader row) => new(
            ItemOutcomes.Table.Parse(row.GetString(0)), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.Time(5), row.Time(6), row.GetInt64(7), row.GetInt64(8));
    }
}

/// <summary>Which jobs to list.</summary>
public sealed record JobFilter
{
    /// <summary>Only this tenant's; null for all.</summary>
    public string? Tenant { get; init; }

    /// <summary>Only those in this state; null for all.</summary>
    public JobState? State { get; init; }

    /// <summary>Only those that ask for this model; null for all.</summary>
    public string? Model { get; init; }

    /// <summary>Only those in whose request, its source and prompts and settings, this stands, or whose id it is; null for all.</summary>
    public string? Text { get; init; }

    /// <summary>Only those older than this one: the last of the page before.</summary>
    public JobId? Before { get; init; }

    /// <summary>Most jobs to return. Default 50.</summary>
    public int Limit { get; init; } = 50;
}
