using System.Text.Json;
using System.Text.Json.Serialization;
using Llava.Contracts.States;
using Llava.Dashboard.OpenAi.Files;
using Llava.Ledger.Batches;
using Llava.Ledger.Jobs;

namespace Llava.Dashboard.OpenAi.Batches;

/// <summary>A batch in OpenAI's words. Times are Unix seconds.</summary>
internal sealed record BatchObject
{
    public required string Id { get; init; }

    public string Object { get; } = "batch";

    public required string Endpoint { get; init; }

    public required string Model { get; init; }

    public BatchErrors? Errors { get; init; }

    public required string InputFileId { get; init; }

    public required string CompletionWindow { get; init; }

    public required string Status { get; init; }

    public string? OutputFileId { get; init; }

    public string? ErrorFileId { get; init; }

    public required long CreatedAt { get; init; }

    public long? InProgressAt { get; init; }

    public long? ExpiresAt { get; init; }

    public long? FinalizingAt { get; init; }

    public long? CompletedAt { get; init; }

    public long? FailedAt { get; init; }

    public long? ExpiredAt { get; init; }

    public long? CancellingAt { get; init; }

    public long? CancelledAt { get; init; }

    public required BatchCounts RequestCounts { get; init; }

    public required BatchUsage Usage { get; init; }

    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Of ours: how long it may still take; null once it is over.</summary>
    public BatchQueue? XQueue { get; init; }

    /// <summary>Of ours: the job that does the work, by which <c>/api/v1</c> knows it.</summary>
    public required string XJob { get; init; }

    public static BatchObject Of(BatchRecord batch, JobRecord job, JobProgress progress, BatchQueue? queue)
    {
        var status = batch.StatusOf(job);
        var end = (batch.PublishedAt ?? job.FinishedAt)?.ToUnixTimeSeconds();
        return new()
        {
            Id = batch.Id,
            Endpoint = batch.Description.Endpoint,
            Model = job.ModelName(),
            Errors = status == BatchStatus.Failed ? BatchErrors.Of(batch, job) : null,
            InputFileId = batch.Description.InputFile,
            CompletionWindow = batch.Description.CompletionWindow,
            Status = status.WireName(),
            OutputFileId = batch.PublishedAt is null ? null : batch.OutputFile,
            ErrorFileId = batch.PublishedAt is null ? null : batch.ErrorFile,
            CreatedAt = batch.CreatedAt.ToUnixTimeSeconds(),
            InProgressAt = job.ExpandedAt?.ToUnixTimeSeconds(),
            ExpiresAt = job.ExpiresAt?.ToUnixTimeSeconds(),
            FinalizingAt = status is BatchStatus.Finalizing or BatchStatus.Completed ? job.FinishedAt?.ToUnixTimeSeconds() : null,
            CompletedAt = status == BatchStatus.Completed ? end : null,
            FailedAt = status == BatchStatus.Failed ? job.FinishedAt?.ToUnixTimeSeconds() : null,
            ExpiredAt = status == BatchStatus.Expired ? end : null,
            CancellingAt = batch.CancellingAt?.ToUnixTimeSeconds(),
            CancelledAt = status == BatchStatus.Cancelled ? end : null,
            RequestCounts = new(Whole(progress.Total), Whole(progress.Succeeded), Whole(progress.Failed)),
            Usage = new(Whole(progress.PromptTokens), new(Whole(progress.CachedTokens)), Whole(progress.CompletionTokens), new()),
            Metadata = batch.Description.Metadata,
            XQueue = queue,
            XJob = job.Id.ToString(),
        };
    }

    // OpenAI's library for .NET reads 32 bits.
    private static int Whole(long count) => (int)Math.Min(count, int.MaxValue);
}

/// <summary>Why the input of a batch was refused.</summary>
internal sealed record BatchErrors(IReadOnlyList<BatchError> Data)
{
    public string Object { get; } = "list";

    public static BatchErrors Of(BatchRecord batch, JobRecord job) => batch.Findings.Count > 0
        ? new([.. batch.Findings.Select(finding => new BatchError(BatchError.Word(finding.Failure.Code), finding.Failure.Message, finding.Failure.Param, finding.Line))])
        : new([new(BatchError.Word(job.Failure?.Code ?? "failed"), job.Failure?.Message ?? "The batch failed.", null, null)]);
}

/// <summary>Why one line was refused, or all of the input.</summary>
/// <param name="Code">What is wrong, in one word.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Param">The field that is wrong; null when none is.</param>
/// <param name="Line">The line, counted from 1; null when it is the input as a whole.</param>
internal sealed record BatchError(string Code, string Message, string? Param, int? Line)
{
    /// <summary>OpenAI's word for ours.</summary>
    public static string Word(string code) => code switch
    {
        "invalid_line" => "invalid_json_line",
        "empty_source" => "empty_file",
        "wrong_encoding" or "line_too_long" => "invalid_file_format",
        _ => code,
    };
}

/// <summary>How many lines there are, how many have an answer, how many an error.</summary>
internal sealed record BatchCounts(int Total, int Completed, int Failed);

/// <summary>Tokens of all answers so far.</summary>
internal sealed record BatchUsage(int InputTokens, InputTokensDetails InputTokensDetails, int OutputTokens, OutputTokensDetails OutputTokensDetails)
{
    public int TotalTokens => (int)Math.Min((long)InputTokens + OutputTokens, int.MaxValue);
}

internal sealed record InputTokensDetails(int CachedTokens);

internal sealed record OutputTokensDetails
{
    public int ReasoningTokens { get; }
}

/// <summary>Where a batch waits.</summary>
/// <param name="Position">How many jobs for its model go before it; 0 while it is worked on.</param>
/// <param name="EtaSeconds">How long it will take at its rate so far; null before it has one.</param>
internal sealed record BatchQueue(int Position, int? EtaSeconds);

/// <summary>Body of <c>POST /batches</c>.</summary>
internal sealed record BatchBody
{
    public string? InputFileId { get; init; }

    public string? Endpoint { get; init; }

    public string? CompletionWindow { get; init; }

    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    public FileExpiry? OutputExpiresAfter { get; init; }

    /// <summary>Of ours: <c>strict</c>, which refuses a batch for one bad line as OpenAI does, or <c>lenient</c>, which answers the others.</summary>
    public string? Validation { get; init; }

    /// <summary>Of ours: a higher one goes first, -100 to 100.</summary>
    public int? Priority { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BatchBody))]
[JsonSerializable(typeof(BatchObject))]
[JsonSerializable(typeof(OpenAiPage<BatchObject>))]
internal sealed partial class BatchJson : JsonSerializerContext;
