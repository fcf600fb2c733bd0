using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Jobs;

/// <summary>The only way a job changes its state: along the table, and only from the state it is believed to be in.</summary>
internal static class JobTransitions
{
    /// <summary>Moves the job; false when it was no longer in <paramref name="from"/>.</summary>
    /// <exception cref="JobTransitionException">The table has no such step.</exception>
    public static async Task<bool> MoveAsync(LedgerSession session, JobId job, JobState from, JobState to, DateTimeOffset now, Failure? failure, CancellationToken cancellation)
    {
        if (!JobStates.Table.Allows(from, to))
        {
            throw new JobTransitionException(job, from, to);
        }

        return await session.Statement("move_job")
            .Set("@job", job.Value)
            .Set("@from", from.WireName())
            .Set("@to", to.WireName())
            .Set("@over", to.IsFinal())
            .Set("@now", now.ToUnixTimeMilliseconds())
            .Set("@code", failure?.Code)
            .Set("@message", failure?.Message)
            .ExecuteAsync(cancellation) == 1;
    }
}
