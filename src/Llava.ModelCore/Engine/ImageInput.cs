using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Llava.ModelCore.Engine;

/// <summary>An image as the vision tower takes it: preprocessed, normalised pixels.</summary>
public sealed class ImageInput
{
    /// <summary>Wraps the pixels without copying them; do not change them afterwards.</summary>
    /// <param name="pixels">(3, side, side), normalised, row by row.</param>
    /// <param name="side">Width and height in pixels.</param>
    /// <param name="contentHash">
    /// Names the content: images with equal hashes share features and KV prefixes. Null takes the SHA-256 of the pixels, about a
    /// millisecond for 336 × 336; compute it where the image is prepared, not on the engine's thread.
    /// </param>
    /// <exception cref="ArgumentException">The array is not 3·side·side long.</exception>
    public ImageInput(float[] pixels, int side, string? contentHash = null)
    {
        if (pixels.LongLength != 3L * side * side)
        {
            throw new ArgumentException($"An image of side {side} has {3L * side * side} values (3, side, side), not {pixels.LongLength}.", nameof(pixels));
        }

        Pixels = pixels;
        Side = side;
        ContentHash = contentHash ?? Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(pixels.AsSpan())));
    }

    /// <summary>(3, side, side), normalised.</summary>
    public float[] Pixels { get; }

    /// <summary>Width and height in pixels.</summary>
    public int Side { get; }

    /// <summary>Names the content.</summary>
    public string ContentHash { get; }
}
