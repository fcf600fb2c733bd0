using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Testing;

namespace Llava.Benchmarks.Streams;

/// <summary>
/// What open streams of events cost a dashboard: its processor time with none, with one and with many, while nothing happens and while a job runs
/// that changes every page. Each stream is a reader's of their own, on one of four pages.
/// </summary>
internal static class OpenStreams
{
    private const string Model = "null-200ms";

    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Watching = TimeSpan.FromSeconds(30);

    public static async Task RunAsync(int streams, CancellationToken cancellation)
    {
        await using var cluster = await ServiceCluster.StartAsync();
        cluster.Serve("scheduler", "scheduler");
        cluster.Serve("consumer", "consumer", "--model", Model);
        var (dashboard, address) = ServeDashboard(cluster);
        var jobs = await cluster.LedgerAsync<JobSubmission>();
        var first = await SubmitAsync(100);
        await UntilAsync(first, JobStates.Table.IsFinal);
        await using Readers readers = new(address, await cluster.LedgerAsync<Ledger.Keys.ApiKeys>());
        await readers.WaitForDashboardAsync(cancellation);

        var idle = await MeasureAllAsync(first);
        var running = await SubmitAsync(100_000);
        await UntilAsync(running, state => state == JobState.Running);
        var busy = await MeasureAllAsync(running);
        Figures.Write("open streams", new
        {
            Streams = streams,
            Topics = readers.Topics,
            Seconds = Watching.TotalSeconds,
            IdleShareOfACore = idle,
            IdleAddedByStreams = idle.Many - idle.None,
            JobRunsShareOfACore = busy,
            JobRunsAddedByStreams = busy.Many - busy.None,
        });

        async Task<Shares> MeasureAllAsync(JobId job)
        {
            await readers.CloseAsync();
            var none = await MeasureAsync();
            await readers.OpenAsync(1, job, cancellation);
            var one = await MeasureAsync();
            await readers.OpenAsync(streams, job, cancellation);
            var before = readers.Bytes;
            var many = await MeasureAsync();
            return new(none, one, many, (readers.Bytes - before) / 1024.0 / (Settling + Watching).TotalSeconds);
        }

        async Task<double> MeasureAsync()
        {
            await Task.Delay(Settling, cancellation);
            var (before, clock) = (ProcessorTime(dashboard), Stopwatch.StartNew());
            await Task.Delay(Watching, cancellation);
            return (ProcessorTime(dashboard) - before) / clock.Elapsed;
        }

        async Task<JobId> SubmitAsync(int items) =>
            (await jobs.SubmitAsync(new() { Model = Model, Source = new() { Kind = SourceKind.Manifest, Path = cluster.WriteQuestions(items) } }, cancellation)).Id;

        async Task UntilAsync(JobId job, Func<JobState, bool> isReached)
        {
            while (!isReached((await (await cluster.LedgerAsync<JobReader>()).ReadAsync(job, cancellation)).State))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
            }
        }
    }

    private static (ServiceProcess Process, Uri Address) ServeDashboard(ServiceCluster cluster)
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        cluster.Settings["Llava__Http__Port"] = port.ToString(CultureInfo.InvariantCulture);
        return (cluster.Serve("dashboard", "dashboard"), new($"http://127.0.0.1:{port}"));
    }

    private static TimeSpan ProcessorTime(ServiceProcess process)
    {
        process.Process.Refresh();
        return process.Process.TotalProcessorTime;
    }

    /// <summary>Shares of one core.</summary>
    /// <param name="None">Without a stream.</param>
    /// <param name="One">With one.</param>
    /// <param name="Many">With all.</param>
    /// <param name="KilobytesPerSecond">What was sent to all.</param>
    private sealed record Shares(double None, double One, double Many, double KilobytesPerSecond);
}
