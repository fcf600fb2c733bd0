using System.Collections.Concurrent;
using System.Security.Cryptography;
using Llava.GpuConsumer.Runners;

namespace Llava.GpuConsumer.Reuse;

/// <summary>
/// Hashes the images of a chunk and keeps what was read for the item that will want it, up to a limit: a file is read once, unless
/// the chunk's images are so large that keeping them all would cost more than reading some again.
/// </summary>
/// <param name="source">Who reads.</param>
/// <param name="mostBytes">Bytes kept at most.</param>
internal sealed class KeptImages(IImageBytes source, long mostBytes = KeptImages.UsualLimit) : IImageBytes
{
    private const long UsualLimit = 32L << 20;

    private readonly ConcurrentDictionary<string, byte[]> _kept = new(StringComparer.Ordinal);
    private long _keptBytes;

    /// <summary>SHA-256 of the image's bytes.</summary>
    /// <exception cref="ItemException">It cannot be read.</exception>
    public async Task<string> HashAsync(string image, CancellationToken cancellation)
    {
        var bytes = await source.ReadAsync(image, cancellation);
        if (Interlocked.Add(ref _keptBytes, bytes.Length) <= mostBytes)
        {
            _kept[image] = bytes;
        }
        else
        {
            Interlocked.Add(ref _keptBytes, -bytes.Length);
        }

        return Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    /// <summary>Lets go of all other images.</summary>
    public void KeepOnly(IReadOnlySet<string> wanted)
    {
        foreach (var image in _kept.Keys.Where(image => !wanted.Contains(image)).ToList())
        {
            _kept.TryRemove(image, out _);
        }
    }

    public Task<byte[]> ReadAsync(string image, CancellationToken cancellation) =>
        _kept.TryGetValue(image, out var bytes) ? Task.FromResult(bytes) : source.ReadAsync(image, cancellation);
}
