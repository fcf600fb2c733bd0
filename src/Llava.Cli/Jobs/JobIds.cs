using Llava.Contracts;

namespace Llava.Cli.Jobs;

/// <summary>Job ids as typed.</summary>
internal static class JobIds
{
    /// <exception cref="UsageException">Not a job id.</exception>
    public static JobId Parse(string typed) => JobId.TryParse(typed, null, out var id)
        ? id
        : throw new UsageException($"'{typed}' is not a job id; 'llava status' lists them.");
}
