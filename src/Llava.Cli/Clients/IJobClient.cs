using Llava.Contracts;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Cli.Clients;

/// <summary>What commands ask of jobs, wherever those are: in the ledger at hand, or behind a server.</summary>
internal interface IJobClient : IAsyncDisposable
{
    /// <summary>Submits; a key makes one job however often it is sent.</summary>
    Task<SubmittedJob> SubmitAsync(JobRequest request, CancellationToken cancellationToken);

    /// <summary>What the request would take, without submitting it.</summary>
    Task<JobEstimate> EstimateAsync(JobRequest request, CancellationToken cancellationToken);

    /// <summary>The job as it is now.</summary>
    Task<JobStatus> ReadAsync(JobId job, CancellationToken cancellationToken);

    /// <summary>The newest jobs, at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<JobStatus>> ListAsync(int limit, CancellationToken cancellationToken);

    /// <summary>The results there are, in the order of the items.</summary>
    IAsyncEnumerable<ItemResult> ResultsAsync(JobId job, CancellationToken cancellationToken = default);

    /// <summary>Cancels, pauses, resumes or closes.</summary>
    Task<JobStatus> ControlAsync(JobId job, JobVerb verb, CancellationToken cancellationToken);

    /// <summary>Tries items again.</summary>
    Task<RetriedJob> RetryAsync(JobId job, RetryRequest retry, CancellationToken cancellationToken);

    /// <summary>Adds a source to an open job; a key makes one part however often it is sent.</summary>
    Task<AppendedPart> AppendAsync(JobId job, PartRequest part, CancellationToken cancellationToken);
}

/// <summary>What can be asked of a job.</summary>
internal enum JobVerb
{
    Cancel,
    Pause,
    Resume,
    Close,
}

/// <summary>A job and how far it is.</summary>
internal sealed record JobStatus(JobRecord Job, JobProgress Progress)
{
    /// <summary>Sources that were added to it; null where many jobs are listed.</summary>
    public IReadOnlyList<PartRecord>? Parts { get; init; }

    /// <summary>How far its sample is, and what the rest will take; null where it has none, and in lists.</summary>
    public SampleDocument? Sample { get; init; }
}
