using System.Runtime.Versioning;
using System.Security.Cryptography;
using Llava.Dashboard.Security;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Llava.Dashboard.Tests.Security;

public sealed class CookieKeysTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-cookie-keys-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Dashboards_that_share_a_folder_open_what_the_other_sealed_and_nobody_else_does()
    {
        var keys = Path.Combine(_folder.FullName, "keys");
        var seal = Open(keys).Protect("signed in");

        Assert.Equal("signed in", Open(keys).Unprotect(seal));
        Assert.Throws<CryptographicException>(() => Open(null).Unprotect(seal));
        Assert.Throws<CryptographicException>(() => Open(Path.Combine(_folder.FullName, "others")).Unprotect(seal));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void Only_the_owner_reads_the_folder()
    {
        var keys = Path.Combine(_folder.FullName, "keys");
        Open(keys).Protect("signed in");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(keys));
    }

    private static IDataProtector Open(string? folder) => CookieKeys.Open(folder, NullLoggerFactory.Instance).CreateProtector("test");
}
