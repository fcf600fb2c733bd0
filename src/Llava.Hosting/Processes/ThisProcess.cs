using System.Diagnostics;
using System.Globalization;

namespace Llava.Hosting.Processes;

/// <summary>Which process this is, and whether another on this machine still lives.</summary>
public static class ThisProcess
{
    /// <summary>Fields of <c>/proc/{id}/stat</c> between the program's name and the start time.</summary>
    private const int StartField = 19;

    private const int TicksPerSecond = 100;

    /// <summary>State of a process that ended and that its parent has not looked after.</summary>
    private const string Ended = "Z";

    /// <summary>Name of this machine.</summary>
    public static string Host => Environment.MachineName;

    /// <summary>Id of this process.</summary>
    public static int Id => Environment.ProcessId;

    /// <summary>When this process started, counted from the start of the machine where that is known: nobody sets that clock.</summary>
    public static TimeSpan Start { get; } = StartOf(Environment.ProcessId) ?? TimeSpan.Zero;

    /// <summary>Whether the process on this machine ended: nobody has its id, or one who started at another time.</summary>
    public static bool IsDead(int processId, TimeSpan start) => StartOf(processId) != start;

    private static TimeSpan? StartOf(int processId)
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                // The name stands in parentheses and may hold anything, so counting begins after the last one.
                var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/stat"));
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                return fields[0] == Ended ? null : TimeSpan.FromMilliseconds(long.Parse(fields[StartField], CultureInfo.InvariantCulture) * 1000 / TicksPerSecond);
            }

            using var process = Process.GetProcessById(processId);
            return TimeSpan.FromMilliseconds(new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds());
        }
        catch (Exception gone) when (gone is IOException or ArgumentException)
        {
            return null;
        }
    }
}
