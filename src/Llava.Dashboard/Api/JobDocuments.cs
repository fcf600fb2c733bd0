using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Dashboard.Models;
using Llava.Ledger.Estimates;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Scores;

namespace Llava.Dashboard.Api;

/// <summary>Jobs and results in the API's words.</summary>
internal sealed class JobDocuments(JobReader jobs, ResultReader results, JobParts parts, JobEstimator estimator, IModelFolder models)
{
    /// <summary>The job with its counts and, for a job alone, its causes, its parts and what the rest will take by its sample.</summary>
    public async Task<JobDocument> OfAsync(JobRecord job, bool alone, CancellationToken cancellation)
    {
        var progress = job.FinalProgress ?? await jobs.ProgressAsync(job.Id, cancellation);
        return new()
        {
            Id = job.Id,
            State = job.State,
            Request = job.Request,
            Open = job.IsOpen,
            Counts = CountsOf(progress),
            CreatedAt = job.CreatedAt,
            ExpandedAt = job.ExpandedAt,
            StartedAt = job.StartedAt,
            FinishedAt = job.FinishedAt,
            ExpiresAt = job.ExpiresAt,
            ItemsPerSecond = progress.ItemsPerSecond,
            TokensPerSecond = progress.TokensPerSecond,
            EtaSeconds = job.State.IsFinal() || job.ExpandedAt is null ? null : progress.Remaining?.TotalSeconds,
            Error = job.Failure is { } failure ? new(failure.Code, failure.Message) : null,
            Errors = alone ? [.. (await results.ErrorsByCauseAsync(job.Id, cancellation)).Select(cause => new CauseCount(cause.Code, cause.Count, cause.FirstItem))] : null,
            Parts = alone ? [.. (await parts.ListAsync(job.Id, cancellation)).Select(Of)] : null,
            Sample = await estimator.OfSampleAsync(job, alone ? progress : null, job.SampleChunk is null ? null : models.ImageTokensOf(job.ModelName()), cancellation),
            Score = progress.Score is { } score ? Of(score) : null,
        };
    }

    /// <summary>The job as it is now.</summary>
    public async Task<JobDocument> OfAsync(Contracts.JobId job, CancellationToken cancellation) =>
        await OfAsync(await jobs.ReadAsync(job, cancellation), alone: true, cancellation);

    /// <summary>A part of a job.</summary>
    public static PartDocument Of(PartRecord part) => new()
    {
        Number = part.Number,
        Source = part.Source,
        State = part.State,
        Items = part.ItemCount,
        CreatedAt = part.CreatedAt,
        Error = part.Failure is { } failure ? new(failure.Code, failure.Message) : null,
    };

    /// <summary>One line of a job's results.</summary>
    public static ResultDocument Of(JobRequest request, ItemResult item) => new()
    {
        ItemNo = item.ItemNo,
        CustomId = item.CustomId,
        Images = item.Images,
        Prompt = PromptTemplate.Compose(request.Prompt, item.Prompt),
        Category = item.Category,
        Model = item.Model,
        Outcome = item.Result.Outcome,
        Text = item.Result.Text,
        FinishReason = item.Result.FinishReason,
        PromptTokens = item.Result.Usage.PromptTokens,
        CompletionTokens = item.Result.Usage.CompletionTokens,
        CachedTokens = item.Result.Usage.CachedTokens,
        Confidence = item.Result.Confidence,
        Error = item.Result.Failure is { } failure ? new(failure.Code, failure.Message) : null,
        CopyOf = item.Result.CopyOf is { } source ? new(source.Job, source.ItemNo) : null,
        Timings = item.Result.Timings is { } timings ? new(timings.PrepareMs, timings.QueueMs, timings.PrefillMs, timings.DecodeMs) : null,
        QueuedAt = item.QueuedAt,
        ClaimedAt = item.ClaimedAt,
        Worker = item.Worker,
        ModelRevision = item.ModelRevision,
        Attempts = item.Attempts,
        FinishedAt = item.FinishedAt,
    };

    private static ScoreDocument Of(JobScore score) =>
        new(score.Scored, score.Right, score.Share, [.. score.Categories.Select(category => new CategoryScoreDocument(category.Category, category.Scored, category.Right))]);

    private static JobCounts CountsOf(JobProgress progress) => new()
    {
        Total = progress.Total,
        Succeeded = progress.Succeeded,
        Failed = progress.Failed,
        Cancelled = progress.Cancelled,
        Expired = progress.Expired,
        PromptTokens = progress.PromptTokens,
        CachedTokens = progress.CachedTokens,
        CompletionTokens = progress.CompletionTokens,
        Copied = progress.Copied,
        Cached = progress.Cached,
        FirstAnswerAt = progress.FirstAnswerAt,
        LastAnswerAt = progress.LastAnswerAt,
    };
}
