using System.Collections.Concurrent;
using System.Diagnostics;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger.Jobs;

namespace Llava.GpuConsumer.Chunks;

/// <summary>Requests of the jobs in work. A request never changes, so it is read once per job and not once per chunk.</summary>
internal sealed class JobRequests(JobReader jobs)
{
    private const int MostKept = 256;

    private readonly ConcurrentDictionary<JobId, JobInWork> _requests = [];

    public async ValueTask<JobInWork> GetAsync(JobId job, CancellationToken cancellation)
    {
        if (_requests.TryGetValue(job, out var known))
        {
            return known;
        }

        if (_requests.Count >= MostKept)
        {
            _requests.Clear();
        }

        var record = await jobs.ReadAsync(job, cancellation);
        return _requests[job] = new(record.Request, ActivityContext.TryParse(record.TraceParent, null, isRemote: true, out var submitted) ? submitted : null);
    }
}

/// <summary>What a consumer knows of a job.</summary>
/// <param name="Request">What was asked for.</param>
/// <param name="Submitted">The span that submitted it; null when nobody traced that.</param>
internal sealed record JobInWork(JobRequest Request, ActivityContext? Submitted);
