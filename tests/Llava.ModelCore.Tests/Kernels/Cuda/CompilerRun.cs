using System.Diagnostics;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

/// <summary>Runs a compiler of the system; what it complains of is the test's failure.</summary>
internal static class CompilerRun
{
    public static void Of(string compiler, string folder, params string[] arguments)
    {
        ProcessStartInfo start = new(compiler, arguments) { WorkingDirectory = folder, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var complaints = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{compiler} ended with {process.ExitCode}: {complaints}");
    }
}
