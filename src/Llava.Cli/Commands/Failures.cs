using Llava.Contracts;
using Llava.Ledger;
using Llava.Ledger.Schedules;
using Llava.ModelCore;

namespace Llava.Cli.Commands;

/// <summary>Turns what commands throw into a sentence on standard error and an exit code; nobody should read a stack trace for a mistyped path.</summary>
internal static class Failures
{
    public static async Task<int> ReportAsync(Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("Stopped. The same command continues where this one ended.");
            return ExitCodes.CannotReachOrLoad;
        }
        catch (Exception e) when (e is UsageException or InvalidJobRequestException or InvalidScheduleException or InvalidTrainingRequestException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return ExitCodes.Usage;
        }
        catch (Exception e) when (e is LlavaException or JobException or ScheduleException or TrainingRunException or LedgerUnreachableException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return ExitCodes.CannotReachOrLoad;
        }
    }
}
