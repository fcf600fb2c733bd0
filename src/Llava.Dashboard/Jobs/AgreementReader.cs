using System.Collections.Concurrent;
using Llava.Contracts;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Dashboard.Jobs;

/// <summary>How often two jobs agree. That visits every result, so it is remembered until one of the jobs has others.</summary>
internal sealed class AgreementReader(ComparisonReader comparisons)
{
    private const int MostRemembered = 64;

    private readonly ConcurrentDictionary<(JobId Left, JobId Right), Counted> _counted = [];

    /// <summary>The counts as they are now.</summary>
    public async Task<AgreementCounts> ReadAsync(JobView left, JobView right, CancellationToken cancellation)
    {
        var pair = (left.Job.Id, right.Job.Id);
        if (_counted.TryGetValue(pair, out var last) && last.Left == left.Progress && last.Right == right.Progress)
        {
            return last.Counts;
        }

        Counted counted = new(left.Progress, right.Progress, await comparisons.CountAsync(left.Job, right.Job, cancellation));
        if (_counted.Count >= MostRemembered)
        {
            _counted.Clear();
        }

        return (_counted[pair] = counted).Counts;
    }

    private sealed record Counted(JobProgress Left, JobProgress Right, AgreementCounts Counts);
}
