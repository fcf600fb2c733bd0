using System.Security.Cryptography;
using System.Text;

namespace Llava.ModelCore.Native.Cuda;

/// <summary>Compiles kernels for one architecture and keeps what came out in the user's cache, by everything that it depends on.</summary>
/// <param name="compiler">Compiles what is not in the cache.</param>
/// <param name="capability">Of the device.</param>
/// <param name="folder">Where results are kept; null for the user's cache.</param>
internal sealed class KernelCompiler(Nvrtc compiler, ComputeCapability capability, string? folder = null)
{
    private readonly string _folder = folder ?? UserCache.Folder("kernels");

    /// <summary>
    /// <c>sm_90</c> and the like where the compiler knows the device; for a newer device the newest PTX that it knows, which the driver translates.
    /// </summary>
    public string Architecture { get; } = ArchitectureFor(capability, compiler.Architectures);

    /// <summary>Which form a device gets.</summary>
    /// <param name="capability">Of the device.</param>
    /// <param name="known">What the compiler knows, ascending.</param>
    /// <exception cref="CudaException">The device is older than anything that the compiler knows.</exception>
    public static string ArchitectureFor(ComputeCapability capability, IReadOnlyList<int> known) =>
        known.Contains(capability.Number) ? $"sm_{capability.Number}"
        : known.LastOrDefault(number => number < capability.Number) is > 0 and var newest ? $"compute_{newest}"
        : throw new CudaException($"This device has compute capability {capability}, older than the run-time compiler serves (from {known[0] / 10}.{known[0] % 10}). Take a PyTorch for an older CUDA, or use the CPU.");

    /// <summary>The compiled source, from the cache where it has been compiled before.</summary>
    /// <exception cref="CudaException">The source is wrong.</exception>
    public byte[] Compile(string name, string source, IReadOnlyDictionary<string, string> headers)
    {
        var file = Path.Combine(_folder, $"{Key(source, headers)}.{Architecture}");
        if (File.Exists(file))
        {
            return File.ReadAllBytes(file);
        }

        var image = compiler.Compile(name, source, headers, Architecture);
        UserCache.Write(file, image);
        return image;
    }

    private string Key(string source, IReadOnlyDictionary<string, string> headers)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in (string[])[$"NVRTC {compiler.Version}", source, .. headers.OrderBy(pair => pair.Key, StringComparer.Ordinal).SelectMany(pair => new[] { pair.Key, pair.Value })])
        {
            hash.AppendData(Encoding.UTF8.GetBytes(part + '\0'));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..32];
    }
}
