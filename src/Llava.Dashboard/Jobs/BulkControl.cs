using Llava.Contracts;
using Llava.Dashboard.Elements;
using Llava.Ledger.Jobs;

namespace Llava.Dashboard.Jobs;

/// <summary>Does one thing to many jobs and says in a sentence what became of it; a job it cannot be done to is passed over.</summary>
internal sealed class BulkControl(JobReader jobs, JobControl control)
{
    private static readonly Dictionary<string, string> Done = new() { ["pause"] = "Paused", ["resume"] = "Resumed", ["cancel"] = "Cancelled", ["retry"] = "Trying again" };

    /// <summary>Whether there is such a thing to do.</summary>
    public static bool Knows(string verb) => Done.ContainsKey(verb);

    /// <summary>Does it to these jobs.</summary>
    /// <param name="verb"><c>pause</c>, <c>resume</c>, <c>cancel</c> or <c>retry</c>.</param>
    /// <param name="chosen">The jobs; those of other tenants are passed over.</param>
    /// <param name="confinement">The tenant that the reader is confined to.</param>
    /// <param name="cancellation">Gives up; what was done stays.</param>
    public async Task<string> RunAsync(string verb, IAsyncEnumerable<JobRecord> chosen, string? confinement, CancellationToken cancellation)
    {
        var (done, passed, items, example) = (0, 0, 0, "");
        await foreach (var job in chosen.Where(job => confinement is null || job.Request.Tenant == confinement).WithCancellation(cancellation))
        {
            try
            {
                var retried = await ActAsync(verb, job.Id, cancellation);
                done += retried == 0 ? 0 : 1;
                passed += retried == 0 ? 1 : 0;
                items += Math.Max(0, retried);
                example = retried == 0 ? "they have no failed items" : example;
            }
            catch (JobException refused)
            {
                passed++;
                example = refused.Message;
            }
        }

        var what = verb == "retry" ? $"{Words.Count(items, "failed item")} of {Words.Count(done, "job")}" : Words.Count(done, "job");
        return passed == 0 ? $"{Done[verb]} {what}." : $"{Done[verb]} {what}; {Words.Count(passed, "other")} left as they were ({example.TrimEnd('.')}).";
    }

    /// <summary>All jobs of a filter, a page at a time.</summary>
    public async IAsyncEnumerable<JobRecord> AllAsync(JobFilter filter)
    {
        for (var page = await jobs.ListAsync(filter); page.Count > 0; page = await jobs.ListAsync(filter with { Before = page[^1].Id }))
        {
            foreach (var job in page)
            {
                yield return job;
            }
        }
    }

    /// <summary>The jobs of these ids, as far as there are such.</summary>
    public async IAsyncEnumerable<JobRecord> ChosenAsync(IEnumerable<string> ids)
    {
        foreach (var id in ids)
        {
            if (JobId.TryParse(id, null, out var job) && await jobs.FindAsync(job) is { } record)
            {
                yield return record;
            }
        }
    }

    /// <summary>Items that are tried again, or −1 where nothing is counted.</summary>
    private async Task<int> ActAsync(string verb, JobId job, CancellationToken cancellation)
    {
        switch (verb)
        {
            case "pause":
                await control.PauseAsync(job, cancellation);
                return -1;
            case "resume":
                await control.ResumeAsync(job, cancellation);
                return -1;
            case "cancel":
                await control.CancelAsync(job, cancellation);
                return -1;
            default:
                return (await control.RetryAsync(job, null, cancellation)).Items;
        }
    }
}
