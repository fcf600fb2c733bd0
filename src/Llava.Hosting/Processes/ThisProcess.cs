using System.Diagnostics;

namespace Llava.Hosting.Processes;

/// <summary>Which process this is, and whether another on this machine still lives.</summary>
public static class ThisProcess
{
    // Start times of one process differ by the resolution of the kernel's clock, depending on who asks.
    private static readonly TimeSpan Resolution = TimeSpan.FromSeconds(2);

    /// <summary>Name of this machine.</summary>
    public static string Host => Environment.MachineName;

    /// <summary>Id of this process.</summary>
    public static int Id => Environment.ProcessId;

    /// <summary>When this process started.</summary>
    public static DateTimeOffset StartedAt { get; } = StartOf(Process.GetCurrentProcess());

    /// <summary>Whether the process on this machine ended: nobody has its id, or one who started at another time.</summary>
    public static bool IsDead(int processId, DateTimeOffset startedAt)
    {
        try
        {
            return (StartOf(Process.GetProcessById(processId)) - startedAt).Duration() > Resolution;
        }
        catch (ArgumentException)
        {
            return true;
        }
    }

    private static DateTimeOffset StartOf(Process process)
    {
        using (process)
        {
            return process.StartTime;
        }
    }
}
