using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging;

namespace Llava.Dashboard.Security;

/// <summary>The keys that cookies and antiforgery tokens are sealed with.</summary>
internal static class CookieKeys
{
    private const string Application = "llava-dashboard";

    /// <summary>Keys of the folder, or keys that end with the process.</summary>
    public static IDataProtectionProvider Open(string? folder, ILoggerFactory loggers)
    {
        if (folder is null)
        {
            return new EphemeralDataProtectionProvider(loggers);
        }

        var keys = OperatingSystem.IsWindows()
            ? Directory.CreateDirectory(folder)
            : Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return DataProtectionProvider.Create(keys, protection => protection.SetApplicationName(Application));
    }
}
