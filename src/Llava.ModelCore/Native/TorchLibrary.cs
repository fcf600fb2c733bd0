using System.Reflection;
using System.Runtime.InteropServices;
using TorchSharp;

namespace Llava.ModelCore.Native;

/// <summary>
/// Finds libtorch and loads it by absolute path before TorchSharp is touched, so that one build runs on Debian 12,
/// on newer systems and on the libtorch of a PyTorch installation.
/// </summary>
public static partial class TorchLibrary
{
    /// <summary>Environment variable that names a folder with another libtorch: PyTorch's <c>torch/lib</c>, or <c>torch</c> or <c>site-packages</c> around it.</summary>
    public const string FolderVariable = "LLAVA_LIBTORCH";

    private static readonly string[] Required = ["libc10.so", "libtorch_cpu.so"];
    private static readonly string[] Optional = ["libc10_cuda.so", "libtorch_cuda.so"];
    private static readonly Lazy<TorchLibraryReport> Loaded = new(Load);

    /// <summary>TorchSharp's binding, for what it exports and TorchSharp does not show; 0 before it is loaded, and where the system finds it by itself.</summary>
    internal static nint Binding { get; private set; }

    /// <summary>Loads libtorch once per process, makes sure that it has all that is going to be called, and says what was found.</summary>
    /// <exception cref="TorchLibraryException">A library is missing or cannot be loaded; the message says what to do.</exception>
    public static TorchLibraryReport EnsureLoaded() => Loaded.Value;

    private static TorchLibraryReport Load()
    {
        if (!OperatingSystem.IsLinux())
        {
            return new TorchLibraryReport(AppContext.BaseDirectory, [], IsPatched: false, Imports: 0);
        }

        // OpenMP's threads otherwise spin between products; on cores that others use too, that makes a step ten times slower.
        // libgomp reads the variable of the process (not .NET's copy of it) when it is loaded; a value set by the user stays.
        _ = SetEnvironment("OMP_WAIT_POLICY", "PASSIVE", overwrite: 0);
        var named = Environment.GetEnvironmentVariable(FolderVariable);
        var folder = string.IsNullOrEmpty(named) ? AppContext.BaseDirectory : LibraryFolder(Path.GetFullPath(named));
        var loaded = new List<string>();
        foreach (var name in Required)
        {
            loaded.Add(LoadFile(Path.Combine(folder, name), named));
        }

        foreach (var name in Optional.Where(name => File.Exists(Path.Combine(folder, name))))
        {
            loaded.Add(LoadFile(Path.Combine(folder, name), named));
        }

        loaded.Add(LoadFile(Path.Combine(folder, "libtorch.so"), named));
        var original = Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");
        var imports = File.Exists(original) ? AbiPreflight.Check(original, [.. loaded.Select(NativeLibrary.Load)], folder) : 0;
        var (binding, isPatched) = BindingForThisSystem(original);
        loaded.Add(LoadFile(binding, named: null));
        RouteTorchSharpTo(NativeLibrary.Load(binding));
        return new TorchLibraryReport(folder, loaded, isPatched, imports);
    }

    /// <summary>The folder itself, or the one inside it that has the libraries.</summary>
    internal static string LibraryFolder(string named) =>
        ((string[])[named, Path.Combine(named, "lib"), Path.Combine(named, "torch", "lib")]).FirstOrDefault(folder => File.Exists(Path.Combine(folder, Required[^1])), named);

    /// <summary>The handle of one of the libraries that were loaded.</summary>
    /// <exception cref="TorchLibraryException">It is not among them.</exception>
    internal static nint Handle(string name) => EnsureLoaded().Files.FirstOrDefault(file => Path.GetFileName(file) == name) is { } file
        ? NativeLibrary.Load(file)
        : throw new TorchLibraryException($"'{name}' is not part of the libtorch in '{EnsureLoaded().Folder}'. Set {FolderVariable} to the torch/lib folder of a PyTorch that has it.");

    private static string LoadFile(string path, string? named)
    {
        if (!File.Exists(path))
        {
            throw new TorchLibraryException(named is null
                ? $"'{path}' is missing. Build or publish the project again so that the libtorch package is restored, or set {FolderVariable} to a folder with libtorch."
                : $"'{path}' is missing. {FolderVariable} is '{named}'; it must name a folder with libtorch_cpu.so, such as a PyTorch installation's torch/lib.");
        }

        try
        {
            NativeLibrary.Load(path);
            return path;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new TorchLibraryException($"'{path}' cannot be loaded: {e.Message}", e);
        }
    }

    /// <summary>
    /// TorchSharp's binding asks for GLIBCXX_3.4.32, which Debian 12 and Ubuntu 22.04 lack, though no relocation uses it.
    /// There a copy whose requirement is marked weak is loaded instead.
    /// </summary>
    private static (string Path, bool IsPatched) BindingForThisSystem(string original)
    {
        if (!File.Exists(original) || NativeLibrary.TryLoad(original, out _))
        {
            return (original, false);
        }

        return (WeakenedCopy.Of(original, "GLIBCXX_3.4.32"), true);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    private static void RouteTorchSharpTo(nint binding)
    {
        Binding = binding;
        NativeLibrary.SetDllImportResolver(typeof(torch).Assembly, (name, _, _) => name == "LibTorchSharp" ? binding : 0);
    }
}

/// <summary>What <see cref="TorchLibrary.EnsureLoaded"/> found.</summary>
/// <param name="Folder">Folder libtorch was taken from.</param>
/// <param name="Files">Libraries in the order they were loaded.</param>
/// <param name="IsPatched">Whether the binding needed the weakened copy because libstdc++ is older than it asks for.</param>
/// <param name="Imports">Symbols that the binding imports, all of which were found; 0 where that is not looked at.</param>
public sealed record TorchLibraryReport(string Folder, IReadOnlyList<string> Files, bool IsPatched, int Imports);

/// <summary>libtorch cannot be found or loaded. Trying again does not help; the message says what does.</summary>
public sealed class TorchLibraryException(string message, Exception? inner = null) : LlavaException(message, isRetryable: false, inner);
