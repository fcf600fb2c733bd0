using System.Diagnostics;
using Hangfire;
using Hangfire.Storage;

namespace Llava.Scheduler.Tests;

/// <summary>What Hangfire knows of.</summary>
internal static class RecurringTasks
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Names of the tasks that recur, in order, once there are so many.</summary>
    public static async Task<IEnumerable<string>> WaitForAsync(JobStorage storage, int count)
    {
        using var connection = storage.GetConnection();
        var waited = Stopwatch.StartNew();
        while (connection.GetRecurringJobs().Count < count && waited.Elapsed < Patience)
        {
            await Task.Delay(50);
        }

        return connection.GetRecurringJobs().Select(task => task.Id).Order(StringComparer.Ordinal);
    }
}
