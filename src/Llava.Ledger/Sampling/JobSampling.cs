using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Sampling;

/// <summary>
/// Lets a job try itself out: a sample of its records is cut into chunks of its own, which alone are handed out, and when they are done the
/// job pauses until somebody resumes it. Nothing of it is done twice, because the sample's results are the job's.
/// </summary>
public sealed partial class JobSampling
{
    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly TimeProvider _time;
    private readonly ILogger<JobSampling> _logger;

    internal JobSampling(LedgerDatabase database, ILedgerSignal signal, TimeProvider time, ILogger<JobSampling> logger) =>
        (_database, _signal, _time, _logger) = (database, signal, time, logger);

    /// <summary>Pauses every job whose sample is done, and notes what that came to.</summary>
    /// <returns>The jobs that were paused.</returns>
    public async Task<IReadOnlyList<JobId>> PauseSampledAsync(CancellationToken cancellation = default)
    {
        if ((await _database.ReadAsync(ListAsync, cancellation)).Count == 0)
        {
            return [];
        }

        var now = _time.GetUtcNow();
        var paused = await _database.WriteAloneAsync(LedgerTurn.End, async (session, token) =>
        {
            List<JobId> done = [];
            foreach (var job in await ListAsync(session, token))
            {
                await session.Statement("hold_job").Set("@job", job.Value).ExecuteAsync(token);
                var record = await JobReader.FindAsync(session, job, token) ?? throw new JobNotFoundException(job);
                // It may have been cancelled, or an item be tried again, since.
                if ((await ListAsync(session, token)).Contains(job))
                {
                    await NoteAsync(session, record, now, token);
                    await JobTransitions.MoveAsync(session, job, record.State, JobState.Paused, now, null, token);
                    done.Add(job);
                }
            }

            return done;
        }, cancellation);
        paused.ForEach(JobSampled);
        _signal.Ring(LedgerTopic.WorkFinished);
        return paused;
    }

    /// <summary>Cuts a job's sample out, inside the write that ends its expansion; changes nothing where it has none, or that is all of it.</summary>
    internal static async Task CutAsync(LedgerDatabase database, LedgerSession session, JobId job, CancellationToken cancellation)
    {
        if (await JobReader.FindAsync(session, job, cancellation) is not { Request.Sample: { } wanted } record)
        {
            return;
        }

        var chunks = await session.Statement("list_unfinished_chunks").Set("@job", job.Value)
            .ListAsync(row => new SampledChunk(row.GetInt32(0), row.GetInt32(1), row.GetInt32(2), row.GetInt64(3)), cancellation);
        if (SamplePlan.Of(chunks, wanted, Math.Max(1, record.Request.Prompts.Count)) is not { } plan)
        {
            return;
        }

        var next = await session.Statement("next_chunk").Set("@job", job.Value).FirstAsync(row => row.GetInt32(0), cancellation);
        foreach (var chunk in plan.Kept)
        {
            await session.Statement("reopen_chunk").Set("@job", job.Value).Set("@chunk", chunk.ChunkNo).Set("@first", chunk.First)
                .Set("@items", chunk.Count).Set("@tokens", chunk.Tokens).Set("@attempts", 0).ExecuteAsync(cancellation);
        }

        foreach (var chunk in plan.Emptied)
        {
            await session.Statement("delete_chunk").Set("@job", job.Value).Set("@chunk", chunk).ExecuteAsync(cancellation);
        }

        // The sample last: its chunks are those from a number on.
        await database.InsertChunksAsync(
            session,
            [.. plan.Rest.Concat(plan.Sample).Select((chunk, index) => new ChunkDraft(job.Value, next + index, chunk.First, chunk.Count, chunk.Tokens, ChunkState.Open, 0))],
            cancellation);
        await session.Statement("note_sample").Set("@job", job.Value).Set("@chunk", next + plan.Rest.Count).ExecuteAsync(cancellation);
    }

    private static async Task NoteAsync(LedgerSession session, JobRecord job, DateTimeOffset now, CancellationToken cancellation)
    {
        var items = await session.Statement("list_sample").Set("@job", job.Id.Value).Set("@chunk", job.SampleChunk).ListAsync(SampledItem.Read, cancellation);
        await session.Statement("note_sample_result")
            .Set("@job", job.Id.Value)
            .Set("@result", JsonSerializer.Serialize(SampledItem.Measure(items, now), LedgerJson.Default.SampleResult))
            .ExecuteAsync(cancellation);
    }

    private static Task<List<JobId>> ListAsync(LedgerSession session, CancellationToken cancellation) =>
        session.Statement("list_sampled_jobs").ListAsync(row => new JobId(row.GetInt64(0)), cancellation);

    [LoggerMessage(2008, LogLevel.Information, "The sample of job {Job} is done; the job waits to be resumed")]
    private partial void JobSampled(JobId job);
}
