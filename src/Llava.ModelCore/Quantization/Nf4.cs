using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Quantization;

/// <summary>
/// The 4-bit normal float of QLoRA (Dettmers et al. 2023, appendix E): sixteen values that are equally likely under a normal distribution. What is computed
/// is what bitsandbytes computes for <c>bnb_4bit_quant_type</c> <c>nf4</c> (spec 2.8).
/// </summary>
internal static class Nf4
{
    /// <summary>Values that share one absolute maximum.</summary>
    public const int Block = 64;

    private static readonly float[] Book =
    [
        -1, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0,
        0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1,
    ];

    // Half way between neighbours; a value that is exactly there goes down.
    private static readonly float[] Boundaries = [.. Book.Zip(Book.Skip(1), (low, high) => (float)(((double)low + high) / 2))];

    /// <summary>The code book, ascending.</summary>
    public static ReadOnlySpan<float> Values => Book;

    /// <summary>The code book: float32 (16), ascending.</summary>
    public static Tensor CodeBook() => tensor(Book);

    /// <summary>Both values that a packed byte stands for, the high half's first: float32 (256, 2).</summary>
    public static Tensor Pairs(Device device) =>
        tensor([.. Enumerable.Range(0, 256).SelectMany(code => (float[])[Book[code >> 4], Book[code & 15]])]).view(256, 2).to(device);

    /// <summary>Values to codes: every value, divided by its block's largest magnitude, becomes the nearest of the code book.</summary>
    /// <param name="value">Any floating-point tensor; a last block that is not full counts as filled with zeros.</param>
    /// <returns>uint8, two codes in a byte, the first in the high half; and float32, the magnitudes of the blocks.</returns>
    public static (Tensor Packed, Tensor Magnitudes) Quantize(Tensor value)
    {
        using var scope = NewDisposeScope();
        var (scaled, magnitudes) = ScaledBlocks.Of(value.detach().to(ScalarType.Float32).flatten(), Block);
        var codes = bucketize(scaled, tensor(Boundaries).Upload(value.device)).view(-1, 2);
        var packed = codes.select(1, 0).mul(Scalars.OfInteger(16)).add(codes.select(1, 1), Scalars.OfInteger(1)).to(ScalarType.Byte);
        return (packed.MoveToOuterDisposeScope(), magnitudes.MoveToOuterDisposeScope());
    }
}
