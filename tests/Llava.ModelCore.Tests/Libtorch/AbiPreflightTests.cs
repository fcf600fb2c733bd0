using System.Runtime.InteropServices;
using System.Text;
using Llava.ModelCore.Native;

namespace Llava.ModelCore.Tests.Libtorch;

public sealed class AbiPreflightTests
{
    private static readonly string Binding = Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");

    [Fact]
    public void The_libtorch_that_comes_along_has_all_that_is_imported()
    {
        var report = TorchLibrary.EnsureLoaded();
        Assert.Equal(AbiPreflight.Imports(File.ReadAllBytes(Binding)).Count, report.Imports);
        Assert.True(report.Imports > 1000);
    }

    [Fact]
    public void What_may_be_missing_is_not_asked_for() =>
        Assert.DoesNotContain("_ZTHN3c104impl26raw_local_dispatch_key_setE", AbiPreflight.Imports(File.ReadAllBytes(Binding)));

    [Fact]
    public void A_symbol_that_libtorch_lacks_is_named_with_the_remedy()
    {
        var known = AbiPreflight.Imports(File.ReadAllBytes(Binding)).First(name => name.Contains("_ops", StringComparison.Ordinal));
        var renamed = known.Replace("_ops", "_0ps", StringComparison.Ordinal);
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder.File("binding.so"), Replaced(File.ReadAllBytes(Binding), known, renamed));
        nint[] libraries = [.. TorchLibrary.EnsureLoaded().Files.Where(file => Path.GetFileName(file) != "libLibTorchSharp.so").Select(NativeLibrary.Load)];

        var failure = Assert.Throws<TorchLibraryException>(() => AbiPreflight.Check(folder.File("binding.so"), libraries, "/opt/torch/lib"));
        Assert.Contains($"'{renamed}'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'/opt/torch/lib'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("lacks 1 of", failure.Message, StringComparison.Ordinal);
        Assert.Contains(TorchLibrary.FolderVariable, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("lib")]
    [InlineData("torch/lib")]
    public void A_named_folder_may_lie_around_the_libraries(string inside)
    {
        using TemporaryFolder folder = new();
        var libraries = Path.GetFullPath(Path.Combine(folder.Path, inside));
        Directory.CreateDirectory(libraries);
        File.WriteAllText(Path.Combine(libraries, "libtorch_cpu.so"), "");
        Assert.Equal(libraries, Path.GetFullPath(TorchLibrary.LibraryFolder(folder.Path)));
    }

    private static byte[] Replaced(byte[] library, string from, string to)
    {
        var place = library.AsSpan().IndexOf(Encoding.ASCII.GetBytes($"\0{from}\0"));
        Encoding.ASCII.GetBytes(to).CopyTo(library, place + 1);
        return library;
    }
}
