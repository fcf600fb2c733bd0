using System.Text.Json;
using Llava.Contracts.Documents;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Storage;
using Llava.Ledger.Workers;

namespace Llava.Ledger.Estimates;

/// <summary>Says what work will take: from a job's own sample, or before there is one from what the model's earlier jobs took.</summary>
public sealed class JobEstimator
{
    private const int MostJobs = 20;

    private readonly LedgerDatabase _database;
    private readonly WorkerRegistry _workers;

    internal JobEstimator(LedgerDatabase database, WorkerRegistry workers) => (_database, _workers) = (database, workers);

    /// <summary>How far the job's sample is and, once it is done, what the rest will take.</summary>
    /// <param name="job">The job.</param>
    /// <param name="progress">How far it is; null leaves the estimate out.</param>
    /// <param name="imageTokens">Tokens of an image; null where that is not known.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>Null where the job has no sample, or its source is still being read.</returns>
    public async Task<SampleDocument?> OfSampleAsync(JobRecord job, JobProgress? progress, int? imageTokens, CancellationToken cancellation = default) => job.SampleChunk is null ? null : new()
    {
        Records = job.Request.Sample ?? 0,
        State = job.Sample is null ? SampleState.Running : job.IsSampled ? SampleState.Done : SampleState.Continued,
        Items = job.Sample?.Items,
        DoneAt = job.Sample?.DoneAt,
        Estimate = job.Sample is { } sample && progress is not null && !job.State.IsFinal()
            ? SampleEstimate.Of(sample, progress.Total - progress.Done, await CapacityAsync(job.Request.Model, cancellation), imageTokens)
            : null,
    };

    /// <summary>What a job will take by what earlier jobs of its model took, those of all tenants.</summary>
    /// <param name="model">The model.</param>
    /// <param name="survey">What is known of the job's source.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public async Task<JobEstimate> BeforeAsync(string model, SourceSurvey survey, CancellationToken cancellation = default)
    {
        var past = await _database.ReadAsync((session, token) => session.Statement("list_calibration")
            .Set("@model", model)
            .Set("@limit", MostJobs)
            .ListAsync(row => JsonSerializer.Deserialize(row.GetString(0), LedgerJson.Default.JobProgress)!, token), cancellation);
        return PastEstimate.Of(past, survey, await CapacityAsync(model, cancellation));
    }

    private async Task<Capacity> CapacityAsync(string model, CancellationToken cancellation)
    {
        var served = (await _workers.LiveAsync(cancellation)).Where(worker => !worker.Draining).SelectMany(worker => worker.Models).Where(one => one.Name == model && one.State != ModelState.Failed).ToList();
        return new(served.Count, served.Sum(one => one.Slots));
    }
}

/// <summary>What can work on a model now.</summary>
/// <param name="Workers">Live workers that serve it.</param>
/// <param name="Slots">Sequences that they run at the same time, all together.</param>
internal readonly record struct Capacity(int Workers, int Slots)
{
    /// <summary>Such as <c>2 live workers with 64 slots</c>.</summary>
    public string InWords => FormattableString.Invariant($"{Workers} live worker{(Workers == 1 ? "" : "s")} with {Slots} slot{(Slots == 1 ? "" : "s")}");
}
