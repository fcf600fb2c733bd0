namespace Llava.ModelCore.Native.Cuda;

/// <summary>Where NVIDIA's run-time compiler may lie: beside libtorch, in the packages that PyTorch's wheels bring, or in the system.</summary>
internal static class NvrtcFiles
{
    private const string Pattern = "libnvrtc.so*";

    private static readonly string[] SystemNames = OperatingSystem.IsWindows() ? ["nvrtc64_130_0.dll", "nvrtc64_120_0.dll"] : ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2"];

    /// <summary>Files and names to try in order.</summary>
    /// <param name="torchFolder">Folder of libtorch, such as <c>site-packages/torch/lib</c>.</param>
    public static IReadOnlyList<string> Candidates(string torchFolder)
    {
        var packages = Path.GetFullPath(Path.Combine(torchFolder, "..", "..", "nvidia"));
        string[] folders = [torchFolder, .. Directory.Exists(packages) ? Directory.GetDirectories(packages).Order(StringComparer.Ordinal).Select(package => Path.Combine(package, "lib")) : []];
        return [.. folders.Where(Directory.Exists).SelectMany(folder => Directory.GetFiles(folder, Pattern).Order(StringComparer.Ordinal)), .. SystemNames];
    }
}
