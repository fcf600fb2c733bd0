using System.Security.Cryptography;
using System.Text;
using Llava.ModelCore.Checkpoints.Partial;

namespace Llava.ModelCore.Checkpoints;

/// <summary>
/// A short name for a checkpoint's content: changes with its settings and weights, stays when the folder is moved. Of each weight file
/// the size and the first and last megabyte count, so that 26 GB need not be read to be named.
/// </summary>
public static class CheckpointFingerprint
{
    private const int Sample = 1 << 20;
    private static readonly string[] Suffixes = [".json", ".model", ".safetensors", ".bin"];

    /// <summary>Sixteen hexadecimal digits.</summary>
    /// <param name="folder">The checkpoint; where it is only a part of a model, its bases count too.</param>
    /// <exception cref="CheckpointException">The folder holds no weights, or a part whose base was not found.</exception>
    public static string Of(string folder)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in PartialWeights.Chain(folder, new CheckpointOptions()))
        {
            Append(digest, part);
        }

        return Convert.ToHexStringLower(digest.GetHashAndReset())[..16];
    }

    private static void Append(IncrementalHash digest, string folder)
    {
        var buffer = new byte[Sample];
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(file => Suffixes.Contains(Path.GetExtension(file)))
            .Order(StringComparer.Ordinal))
        {
            using var stream = File.OpenRead(file);
            digest.AppendData(Encoding.UTF8.GetBytes($"{Path.GetRelativePath(folder, file)}\n{stream.Length}\n"));
            digest.AppendData(buffer, 0, stream.ReadAtLeast(buffer, Sample, throwOnEndOfStream: false));
            stream.Seek(-Math.Min(Sample, stream.Length), SeekOrigin.End);
            digest.AppendData(buffer, 0, stream.ReadAtLeast(buffer, Sample, throwOnEndOfStream: false));
        }
    }
}
