using System.Runtime.InteropServices;

namespace Llava.Cli.Bench;

/// <summary>What a figure was measured on.</summary>
internal static class ThisMachine
{
    public static string Processor() => OperatingSystem.IsLinux()
        ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString()
        : RuntimeInformation.ProcessArchitecture.ToString();

    /// <summary>What else the machine does: processes that want to run, over the last minute.</summary>
    public static string? Load() => OperatingSystem.IsLinux() ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : null;
}
