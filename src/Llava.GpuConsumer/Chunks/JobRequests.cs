using System.Collections.Concurrent;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger.Jobs;

namespace Llava.GpuConsumer.Chunks;

/// <summary>Requests of the jobs in work. A request never changes, so it is read once per job and not once per chunk.</summary>
internal sealed class JobRequests(JobReader jobs)
{
    private const int MostKept = 256;

    private readonly ConcurrentDictionary<JobId, JobRequest> _requests = [];

    public async ValueTask<JobRequest> GetAsync(JobId job, CancellationToken cancellation)
    {
        if (_requests.TryGetValue(job, out var known))
        {
            return known;
        }

        if (_requests.Count >= MostKept)
        {
            _requests.Clear();
        }

        return _requests[job] = (await jobs.ReadAsync(job, cancellation)).Request;
    }
}
