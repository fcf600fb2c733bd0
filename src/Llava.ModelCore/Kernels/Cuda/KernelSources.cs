using System.Collections.Frozen;

namespace Llava.ModelCore.Kernels.Cuda;

/// <summary>The kernels' CUDA C++, which travels in this assembly.</summary>
internal static class KernelSources
{
    private static readonly System.Reflection.Assembly Home = typeof(KernelSources).Assembly;

    /// <summary>Files of kernels by name, without the ending.</summary>
    public static FrozenDictionary<string, string> Kernels { get; } = Read(".cu").ToFrozenDictionary(file => Path.GetFileNameWithoutExtension(file.Key), file => file.Value);

    /// <summary>What they include, by file name.</summary>
    public static FrozenDictionary<string, string> Headers { get; } = Read(".h").ToFrozenDictionary();

    private static IEnumerable<KeyValuePair<string, string>> Read(string ending)
    {
        foreach (var name in Home.GetManifestResourceNames().Where(name => name.EndsWith(ending, StringComparison.Ordinal)))
        {
            using StreamReader reader = new(Home.GetManifestResourceStream(name)!);
            yield return new(name, reader.ReadToEnd());
        }
    }
}
