using System.Diagnostics;

namespace Llava.Testing;

/// <summary>Signals to processes of which only the id is known.</summary>
public static class ProcessSignals
{
    /// <summary>Asks it to end.</summary>
    public static Task TerminateAsync(int process) => SendAsync(process, "TERM");

    /// <summary>What Ctrl+C sends.</summary>
    public static Task InterruptAsync(int process) => SendAsync(process, "INT");

    /// <summary>Stops its threads where they are.</summary>
    public static Task FreezeAsync(int process) => SendAsync(process, "STOP");

    /// <summary>Lets a frozen process go on.</summary>
    public static Task ThawAsync(int process) => SendAsync(process, "CONT");

    private static async Task SendAsync(int process, string signal)
    {
        using var kill = Process.Start("/bin/kill", [$"-{signal}", $"{process}"]);
        await kill.WaitForExitAsync();
    }
}
