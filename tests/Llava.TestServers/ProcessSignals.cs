using System.Diagnostics;

namespace Llava.TestServers;

/// <summary>Signals to processes of which only the id is known.</summary>
public static class ProcessSignals
{
    /// <summary>Ends it at once, without a chance to tidy up.</summary>
    public static Task KillAsync(int process) => SendAsync(process, "KILL");

    /// <summary>Asks it to end.</summary>
    public static Task TerminateAsync(int process) => SendAsync(process, "TERM");

    /// <summary>Stops its threads where they are.</summary>
    public static Task FreezeAsync(int process) => SendAsync(process, "STOP");

    /// <summary>Lets a frozen process go on.</summary>
    public static Task ThawAsync(int process) => SendAsync(process, "CONT");

    /// <summary>Whether there is such a process, zombies not counted.</summary>
    public static bool Lives(int process)
    {
        try
        {
            var state = File.ReadAllText($"/proc/{process}/stat");
            return state[state.LastIndexOf(')') + 2] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static async Task SendAsync(int process, string signal)
    {
        using var kill = Process.Start("/bin/kill", [$"-{signal}", $"{process}"]);
        await kill.WaitForExitAsync();
    }
}
