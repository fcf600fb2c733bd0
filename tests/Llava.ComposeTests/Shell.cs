using System.Diagnostics;

namespace Llava.ComposeTests;

/// <summary>Runs a program to its end.</summary>
internal static class Shell
{
    /// <summary>Runs it and fails when it fails.</summary>
    /// <returns>What it said.</returns>
    public static string Run(params string[] command) => Run(new Dictionary<string, string>(), command);

    /// <inheritdoc cref="Run(string[])"/>
    public static string Run(IReadOnlyDictionary<string, string> variables, params string[] command)
    {
        ProcessStartInfo start = new(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var said = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"'{string.Join(' ', command)}' ended with {process.ExitCode}:\n{said}");
        return said;
    }
}
