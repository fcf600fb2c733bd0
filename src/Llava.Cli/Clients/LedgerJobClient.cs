using Llava.Cli.Embedded;
using Llava.Contracts;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Cli.Clients;

/// <summary>Jobs of the ledger that this machine can open.</summary>
internal sealed class LedgerJobClient(EmbeddedLedger ledger) : IJobClient
{
    public Task<SubmittedJob> SubmitAsync(JobRequest request, CancellationToken cancellationToken) => ledger.Submission.SubmitAsync(request, cancellationToken);

    public Task<JobEstimate> EstimateAsync(JobRequest request, CancellationToken cancellationToken) => ledger.EstimateAsync(request, cancellationToken);

    public async Task<JobStatus> ReadAsync(JobId job, CancellationToken cancellationToken)
    {
        var status = await StatusAsync(await ledger.Jobs.ReadAsync(job, cancellationToken), cancellationToken);
        return status with { Parts = await ledger.Parts.ListAsync(job, cancellationToken), Sample = await ledger.SampleAsync(status.Job, status.Progress, cancellationToken) };
    }

    public async Task<IReadOnlyList<JobStatus>> ListAsync(int limit, CancellationToken cancellationToken)
    {
        List<JobStatus> jobs = [];
        foreach (var job in await ledger.Jobs.ListAsync(new JobFilter { Limit = limit }, cancellationToken))
        {
            jobs.Add(await StatusAsync(job, cancellationToken));
        }

        return jobs;
    }

    public IAsyncEnumerable<ItemResult> ResultsAsync(JobId job, CancellationToken cancellationToken) => ledger.Results.StreamAsync(job, null, cancellationToken);

    public async Task<JobStatus> ControlAsync(JobId job, JobVerb verb, CancellationToken cancellationToken)
    {
        await (verb switch
        {
            JobVerb.Cancel => ledger.Control.CancelAsync(job, cancellationToken),
            JobVerb.Pause => ledger.Control.PauseAsync(job, cancellationToken),
            JobVerb.Close => ledger.Parts.CloseAsync(job, cancellationToken),
            _ => ledger.Control.ResumeAsync(job, cancellationToken),
        });
        return await ReadAsync(job, cancellationToken);
    }

    public Task<RetriedJob> RetryAsync(JobId job, RetryRequest retry, CancellationToken cancellationToken) =>
        ledger.Control.RetryAsync(job, new RetryFilter { Outcomes = [.. retry.Outcomes], Codes = [.. retry.Codes] }, cancellationToken);

    public Task<AppendedPart> AppendAsync(JobId job, PartRequest part, CancellationToken cancellationToken) => ledger.Parts.AppendAsync(job, part, cancellationToken);

    public ValueTask DisposeAsync() => ledger.DisposeAsync();

    private async Task<JobStatus> StatusAsync(JobRecord job, CancellationToken cancellationToken) =>
        new(job, await ledger.Jobs.ProgressAsync(job.Id, cancellationToken));
}
