using System.Globalization;

namespace Llava.ModelCore.Native;

/// <summary>How much memory this process has had at most; see proc(5), <c>VmHWM</c> and <c>clear_refs</c>.</summary>
internal static class PeakMemory
{
    private const string Status = "/proc/self/status";
    private const string ForgetPeak = "5";

    /// <summary>Bytes that work takes at its peak beyond what the process has before it; null where the system does not tell.</summary>
    public static long? Of(Action work)
    {
        if (!OperatingSystem.IsLinux())
        {
            work();
            return null;
        }

        FreedMemory.ReturnToSystem();
        File.WriteAllText("/proc/self/clear_refs", ForgetPeak);
        var before = Field("VmRSS:");
        work();
        return Field("VmHWM:") - before;
    }

    private static long Field(string name) => 1024 * long.Parse(
        File.ReadLines(Status).First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
