using Llava.Cli.Clients;
using Llava.Cli.Terminal;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;

namespace Llava.Cli.Jobs;

/// <summary>Shows a job's progress until it is over, and what its end means for the process.</summary>
internal static class JobFollowing
{
    public static async Task<JobRecord> FollowAsync(Func<CancellationToken, Task<JobStatus>> read, CancellationToken cancellationToken)
    {
        JobRecord? record = null;
        await JobProgressBar.ShowAsync(
            async token =>
            {
                (record, var progress) = await read(token);
                return (new JobTick(progress.Done, progress.Failed, progress.Total, progress.CompletionTokens), record.State.IsFinal());
            },
            TimeProvider.System,
            cancellationToken);
        return record!;
    }

    /// <summary>The exit code of a job that is over.</summary>
    public static int ExitCode(JobRecord job) =>
        job.Failure is not null ? ExitCodes.CannotReachOrLoad
        : job.FinalProgress is { } progress && progress.Done > progress.Succeeded ? ExitCodes.SomeItemsFailed
        : ExitCodes.Ok;
}
