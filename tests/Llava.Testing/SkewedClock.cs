using System.Globalization;

namespace Llava.Testing;

/// <summary>A wall clock that goes wrong by so much in one process; time that is only measured stays right.</summary>
public static class SkewedClock
{
    private const string Library = "libfaketimeMT.so.1";

    /// <summary>Environment of a process whose clock is wrong.</summary>
    /// <param name="by">How far ahead, or behind when negative.</param>
    public static IReadOnlyDictionary<string, string> By(TimeSpan by) => new Dictionary<string, string>
    {
        ["LD_PRELOAD"] = Directory.EnumerateFiles("/usr/lib", Library, new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }).First(),
        ["FAKETIME"] = by.TotalSeconds.ToString("+0;-0", CultureInfo.InvariantCulture),
        ["DONT_FAKE_MONOTONIC"] = "1",
        // Waits with a time limit, which the library else ends at once.
        ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
    };
}
