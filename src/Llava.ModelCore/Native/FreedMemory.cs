using System.Runtime.InteropServices;

namespace Llava.ModelCore.Native;

/// <summary>
/// Memory that was freed and that the C library keeps for itself. It keeps a heap for each of many threads, and an engine has a thread
/// of its own: without this a process that changes models grows by a heap with each of them.
/// </summary>
internal static partial class FreedMemory
{
    /// <summary>Gives it back to the system, where the C library can (glibc).</summary>
    public static void ReturnToSystem()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            _ = Trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Other C libraries keep little and have no such call.
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Trim(nuint keep);
}
