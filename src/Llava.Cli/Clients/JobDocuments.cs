using Llava.Contracts.Documents;
using Llava.Contracts.States;
using Llava.Ledger;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Scores;

namespace Llava.Cli.Clients;

/// <summary>The API's documents in the ledger's words, so that everything that shows or writes jobs is the same for both.</summary>
internal static class JobDocuments
{
    public static JobStatus Read(JobDocument document)
    {
        JobProgress progress = new()
        {
            Total = document.Counts.Total,
            Succeeded = document.Counts.Succeeded,
            Failed = document.Counts.Failed,
            Cancelled = document.Counts.Cancelled,
            Expired = document.Counts.Expired,
            PromptTokens = document.Counts.PromptTokens,
            CachedTokens = document.Counts.CachedTokens,
            CompletionTokens = document.Counts.CompletionTokens,
            Copied = document.Counts.Copied,
            Cached = document.Counts.Cached,
            FirstAnswerAt = document.Counts.FirstAnswerAt,
            LastAnswerAt = document.Counts.LastAnswerAt,
            Score = document.Score is { } score ? new(score.Scored, score.Right, [.. score.Categories.Select(category => new CategoryScore(category.Category, category.Scored, category.Right))]) : null,
        };
        JobRecord job = new()
        {
            Id = document.Id,
            State = document.State,
            Request = document.Request,
            IsOpen = document.Open,
            ItemCount = document.Counts.Total,
            CreatedAt = document.CreatedAt,
            ExpandedAt = document.ExpandedAt,
            StartedAt = document.StartedAt,
            FinishedAt = document.FinishedAt,
            ExpiresAt = document.ExpiresAt,
            Failure = Read(document.Error),
            FinalProgress = document.State.IsFinal() ? progress : null,
            Sample = document.Sample is { DoneAt: { } done } sample ? new() { Items = sample.Items ?? 0, DoneAt = done } : null,
        };
        return new(job, progress) { Parts = document.Parts?.Select(Read).ToList(), Sample = document.Sample };
    }

    public static PartRecord Read(PartDocument document) => new()
    {
        Number = document.Number,
        Source = document.Source,
        State = document.State,
        ItemCount = document.Items,
        CreatedAt = document.CreatedAt,
        Failure = Read(document.Error),
    };

    public static ItemResult Read(ResultDocument document) => new()
    {
        ItemNo = document.ItemNo,
        CustomId = document.CustomId,
        Images = document.Images,
        Prompt = document.Prompt,
        Category = document.Category,
        Model = document.Model,
        Result = new()
        {
            ItemNo = document.ItemNo,
            Outcome = document.Outcome,
            Text = document.Text,
            FinishReason = document.FinishReason,
            Usage = new(document.PromptTokens, document.CompletionTokens, document.CachedTokens),
            CopyOf = document.CopyOf is { } source ? new(source.Job, source.ItemNo) : null,
            Timings = document.Timings is { } timings ? new(timings.PrepareMs, timings.QueueMs, timings.PrefillMs, timings.DecodeMs) : null,
            Confidence = document.Confidence,
            Failure = Read(document.Error),
        },
        Worker = document.Worker,
        ModelRevision = document.ModelRevision,
        Attempts = document.Attempts,
        QueuedAt = document.QueuedAt,
        ClaimedAt = document.ClaimedAt,
        FinishedAt = document.FinishedAt,
    };

    private static Failure? Read(CauseDocument? cause) => cause is null ? null : new(cause.Code, cause.Message);
}
