using System.Diagnostics;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Expansion;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Llava.Ledger.Telemetry;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Jobs;

/// <summary>Makes a job of the items that another could not answer, to ask them in another way; the first keeps its results.</summary>
public sealed partial class JobFollowUp
{
    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly TimeProvider _time;
    private readonly ILogger<JobFollowUp> _logger;

    internal JobFollowUp(LedgerDatabase database, ILedgerSignal signal, TimeProvider time, ILogger<JobFollowUp> logger)
    {
        _database = database;
        _signal = signal;
        _time = time;
        _logger = logger;
    }

    /// <summary>Makes the job in one transaction. Its items are copied and its source is not read again.</summary>
    /// <param name="job">The job whose items are asked again.</param>
    /// <param name="request">What is asked now. Its source is only said, and its prompt is asked of all items where that is wished.</param>
    /// <param name="code">Only items that failed for this cause; null for all that have a result and no answer.</param>
    /// <param name="replacesPrompts">Whether the request's prompt is asked of items too that brought one of their own.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <exception cref="InvalidJobRequestException">The request breaks rules; all are listed.</exception>
    /// <exception cref="NothingToAskException">No such item failed after it was worked on.</exception>
    public async Task<JobId> CreateAsync(JobId job, JobRequest request, string? code, bool replacesPrompts, CancellationToken cancellation = default)
    {
        var asked = request with { Open = false, Strict = false, IdempotencyKey = null, Prompts = [], Sample = null, Expected = null };
        if (asked.Validate() is { Count: > 0 } findings)
        {
            throw new InvalidJobRequestException(findings);
        }

        var now = _time.GetUtcNow();
        var made = JobId.New(now);
        using var activity = LedgerActivity.StartSubmit(made, asked);
        var trace = (activity ?? Activity.Current)?.Id;
        var items = await _database.WriteAsync((session, token) => CreateAsync(session, job, made, asked, code, replacesPrompts, trace, now, token), cancellation);
        FollowUpMade(made, items, job);
        _signal.Ring(LedgerTopic.ChunksWaiting);
        return made;
    }

    private async Task<int> CreateAsync(
        LedgerSession session, JobId from, JobId made, JobRequest request, string? code, bool replacesPrompts, string? trace, DateTimeOffset now, CancellationToken cancellation)
    {
        if (session.IsRepeat && await JobReader.FindAsync(session, made, cancellation) is { } there)
        {
            return there.ItemCount;
        }

        await JobSubmission.SubmitAsync(session, made, request, trace, now, cancellation);
        var items = await session.Statement("copy_failed_items")
            .Set("@job", from.Value)
            .Set("@made", made.Value)
            .Set("@code", code)
            .Set("@replaces", replacesPrompts)
            .ExecuteAsync(cancellation);
        if (items == 0)
        {
            throw new NothingToAskException(from, code);
        }

        await session.Statement("advance_expansion").Set("@job", made.Value).Set("@from", 0).Set("@items", items).Set("@position", "").ExecuteAsync(cancellation);
        var tokens = request.Generation.MaxNewTokens;
        var chunks = Enumerable.Range(0, items).Chunk(request.ChunkItems)
            .Select((run, number) => new ChunkDraft(made.Value, number, run[0], run.Length, (long)tokens * run.Length, ChunkState.Open, 0));
        await _database.InsertChunksAsync(session, [.. chunks], cancellation);
        await JobTransitions.MoveAsync(session, made, JobState.Validating, JobState.Queued, now, null, cancellation);
        await JobExpansion.NoteExpandedAsync(session, made, now, cancellation);
        return items;
    }

    [LoggerMessage(2085, LogLevel.Information, "Job {Job} asks {Items} items again that job {From} could not answer")]
    private partial void FollowUpMade(JobId job, int items, JobId from);
}

/// <summary>There is no item to ask again.</summary>
/// <param name="job">The job that was looked at.</param>
/// <param name="code">The cause that was looked for.</param>
public sealed class NothingToAskException(JobId job, string? code) : JobException("nothing_to_ask",
    $"No item of job '{job}' {(code is null ? "failed after it was worked on" : $"failed with '{code}' after it was worked on")}; items that were refused when the source was read need another source.");
