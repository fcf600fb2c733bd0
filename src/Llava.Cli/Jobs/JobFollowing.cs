using Llava.Cli.Clients;
using Llava.Cli.Output;
using Llava.Cli.Terminal;
using Llava.Contracts;
using Llava.Contracts.Documents;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;

namespace Llava.Cli.Jobs;

/// <summary>Shows a job's progress until it is over or its sample is done, and what that means for the process.</summary>
internal static class JobFollowing
{
    public static async Task<JobRecord> FollowAsync(Func<CancellationToken, Task<JobStatus>> read, CancellationToken cancellationToken)
    {
        JobRecord? record = null;
        await JobProgressBar.ShowAsync(
            async token =>
            {
                (record, var progress) = await read(token);
                return (new JobTick(progress.Done, progress.Failed, progress.Total, progress.CompletionTokens, record.IsBeingRead), record.State.IsFinal() || record.IsSampled);
            },
            TimeProvider.System,
            cancellationToken);
        return record!;
    }

    /// <summary>Says on standard error what the sample came to, and how to go on.</summary>
    public static async Task TellAsync(JobId job, SampleDocument sample, string? howToGoOn = null)
    {
        await Console.Error.WriteLineAsync($"The sample of {sample.Records} records is done, and the job waits. The rest:");
        foreach (var line in sample.Estimate is { } estimate ? EstimateText.Lines(estimate) : [])
        {
            await Console.Error.WriteLineAsync($"  {line}");
        }

        await Console.Error.WriteLineAsync(howToGoOn ?? $"'llava resume {job}' goes on with it, 'llava cancel {job}' leaves it at that.");
    }

    /// <summary>The exit code of a job that is over, or whose sample is done.</summary>
    public static int ExitCode(JobRecord job) =>
        job.Failure is not null ? ExitCodes.CannotReachOrLoad
        : job.FinalProgress is { } progress && progress.Done > progress.Succeeded ? ExitCodes.SomeItemsFailed
        : ExitCodes.Ok;
}
