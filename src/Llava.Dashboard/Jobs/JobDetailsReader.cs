using System.Collections.Concurrent;
using Llava.Contracts;
using Llava.Dashboard.Elements;
using Llava.Dashboard.Models;
using Llava.Ledger.Chunks;
using Llava.Ledger.Estimates;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Reviews;
using Llava.Ledger.Throughput;

namespace Llava.Dashboard.Jobs;

/// <summary>Reads what the page of one job shows. What visits every result is remembered until there are more of them.</summary>
internal sealed class JobDetailsReader(
    JobReader jobs, ResultReader results, ThroughputReader throughput, ReviewStore reviews, JobParts parts, AttemptHistory attempts, JobEstimator estimator, IModelFolder models)
{
    private const int Examples = 3;
    private const int MostCauses = 20;
    private const int MostAttempts = 50;
    private const int MostPoints = 120;
    private const int MostRemembered = 64;

    private readonly ConcurrentDictionary<JobId, Measured> _measured = [];

    /// <summary>The job as it is now; null when there is none, or it is another tenant's.</summary>
    public async Task<JobDetails?> ReadAsync(JobId job, string? tenant, CancellationToken cancellation)
    {
        if (await jobs.FindAsync(job, cancellation) is not { } record || (tenant is not null && record.Request.Tenant != tenant))
        {
            return null;
        }

        JobView view = new(record, record.FinalProgress ?? await jobs.ProgressAsync(job, cancellation));
        var measured = await MeasureAsync(view, cancellation);
        var history = await attempts.OfJobAsync(job, cancellation);
        return new(
            view, await CausesAsync(view, cancellation), measured.Series, measured.Times, await reviews.CountsAsync(job, cancellation), await parts.ListAsync(job, cancellation),
            [.. history.AsEnumerable().Reverse().Take(MostAttempts)], history.Count,
            await estimator.OfSampleAsync(record, view.Progress, record.SampleChunk is null ? null : models.ImageTokensOf(record.ModelName()), cancellation));
    }

    private async Task<IReadOnlyList<Cause>> CausesAsync(JobView view, CancellationToken cancellation)
    {
        List<Cause> causes = [];
        foreach (var count in view.Progress.Failed == 0 ? [] : await results.ErrorsByCauseAsync(view.Job.Id, cancellation))
        {
            causes.Add(new(count, causes.Count < MostCauses
                ? await results.PageAsync(view.Job.Id, new() { ErrorCode = count.Code, After = count.FirstItem - 1, Limit = Examples }, cancellation)
                : []));
        }

        return causes;
    }

    private async Task<Measured> MeasureAsync(JobView view, CancellationToken cancellation)
    {
        if (_measured.TryGetValue(view.Job.Id, out var last) && last.Done == view.Progress.Done)
        {
            return last;
        }

        var span = SpanOf(view.Progress);
        var measured = new Measured(
            view.Progress.Done,
            Series(await throughput.OfJobAsync(view.Job.Id, span, cancellation), span),
            await throughput.TimesAsync(view.Job.Id, cancellation));
        if (_measured.Count >= MostRemembered)
        {
            _measured.Clear();
        }

        return _measured[view.Job.Id] = measured;
    }

    /// <summary>A span that gives a chart at most so many points, and is a whole number of seconds.</summary>
    private static TimeSpan SpanOf(JobProgress progress) =>
        TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling(((progress.LastAnswerAt - progress.FirstAnswerAt) ?? default).TotalSeconds / MostPoints)));

    private static TimeSeries Series(List<WorkCount> counts, TimeSpan span)
    {
        if (counts.Count == 0)
        {
            return new([], []);
        }

        // A job that was tried again a month later has a month of nothing in between; what is drawn then is what there is.
        var bySpan = counts.ToDictionary(count => count.At);
        var (first, last) = (counts[0].At - span, counts[^1].At + span);
        var points = (int)((last - first) / span) + 1;
        DateTimeOffset[] moments = points <= 4 * MostPoints ? [.. Enumerable.Range(0, points).Select(at => first + (at * span))] : [.. counts.Select(count => count.At)];
        return new(
            [.. moments.Select(moment => (double)moment.ToUnixTimeSeconds())],
            [
                new("items/s", [.. moments.Select(moment => (double?)((bySpan.GetValueOrDefault(moment)?.Items ?? 0) / span.TotalSeconds))]),
                new("tokens/s", [.. moments.Select(moment => (double?)((bySpan.GetValueOrDefault(moment)?.Tokens ?? 0) / span.TotalSeconds))], OwnScale: true),
            ]);
    }

    private sealed record Measured(long Done, TimeSeries Series, JobTimes Times);
}
