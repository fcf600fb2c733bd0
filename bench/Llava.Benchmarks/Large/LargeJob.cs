using System.Diagnostics;
using System.Globalization;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Testing;

namespace Llava.Benchmarks.Large;

/// <summary>
/// What a large job costs itself and others: how soon its submission returns and its last chunk is there, what memory the
/// processes take, how long a small job of another tenant takes meanwhile against alone, and how soon a cancel has acted.
/// </summary>
internal static class LargeJob
{
    /// <summary>An answer takes as long as a small model's; the large job runs all the time.</summary>
    private const string Model = "null-200ms";

    private const int SmallItems = 100;
    private const int Repeats = 5;

    public static async Task RunAsync(int items, CancellationToken cancellation)
    {
        await using var cluster = await ServiceCluster.StartAsync();
        Run run = new(cluster, await cluster.LedgerAsync<JobSubmission>(), await cluster.LedgerAsync<JobReader>(), await cluster.LedgerAsync<JobControl>(), cancellation);
        ServiceProcess[] processes = [cluster.Serve("scheduler", "scheduler"), cluster.Serve("consumer", "consumer", "--model", Model)];
        await run.SmallAsync(); // the processes start, the code is compiled
        var alone = await run.SmallJobsAsync();

        var path = cluster.WriteQuestions(items);
        var clock = Stopwatch.StartNew();
        var large = await run.SubmitAsync(path, "large");
        var submit = clock.Elapsed;
        await run.WaitAsync(large, job => job.ExpandedAt is not null);
        var expand = clock.Elapsed;
        var meanwhile = await run.SmallJobsAsync();
        clock.Restart();
        await run.CancelAsync(large);
        var cancel = clock.Elapsed;
        await run.WaitAsync(large, job => job.State.IsFinal());
        var cancelled = clock.Elapsed;

        Figures.Write("large job", new
        {
            Items = items,
            SubmitMilliseconds = submit.TotalMilliseconds,
            LastChunkSeconds = expand.TotalSeconds,
            SmallJobItems = SmallItems,
            SmallJobAloneSeconds = alone,
            SmallJobMeanwhileSeconds = meanwhile,
            SmallJobRatio = meanwhile / alone,
            CancelReturnsSeconds = cancel.TotalSeconds,
            CancelledSeconds = cancelled.TotalSeconds,
            PeakMegabytes = processes.Select(process => PeakMegabytes(process.Process.Id)).Append(PeakMegabytes(Environment.ProcessId)).Max(),
        });
    }

    private static int PeakMegabytes(int process) => int.Parse(
        File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024;

    private sealed class Run(ServiceCluster cluster, JobSubmission jobs, JobReader reader, JobControl control, CancellationToken cancellation)
    {
        public async Task<JobId> SubmitAsync(string path, string tenant) =>
            (await jobs.SubmitAsync(new() { Model = Model, Tenant = tenant, Source = new() { Kind = SourceKind.Manifest, Path = path } }, cancellation)).Id;

        /// <summary>Seconds from the submission of a small job to its end; the median of several.</summary>
        public async Task<double> SmallJobsAsync()
        {
            List<double> seconds = [];
            for (var repeat = 0; repeat < Repeats; repeat++)
            {
                seconds.Add(await SmallAsync());
            }

            return seconds.Order().ElementAt(Repeats / 2);
        }

        public async Task<double> SmallAsync()
        {
            var path = cluster.WriteQuestions(SmallItems);
            var clock = Stopwatch.StartNew();
            await WaitAsync(await SubmitAsync(path, "small"), job => job.State.IsFinal());
            return clock.Elapsed.TotalSeconds;
        }

        public Task<JobState> CancelAsync(JobId job) => control.CancelAsync(job, cancellation);

        public async Task WaitAsync(JobId job, Func<JobRecord, bool> isReached)
        {
            while (!isReached(await reader.ReadAsync(job, cancellation)))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), cancellation);
            }
        }
    }
}
