using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Quantization;

/// <summary>Values cut into blocks and divided by each block's largest magnitude, as every code of bitsandbytes begins.</summary>
internal static class ScaledBlocks
{
    /// <summary>Cuts and divides.</summary>
    /// <param name="flat">float32, of one dimension; a last block that is not full counts as filled with zeros.</param>
    /// <param name="size">Values of a block.</param>
    /// <returns>(blocks, size) from −1 to 1; a block of zeros stays one. And (blocks), the magnitudes.</returns>
    public static (Tensor Scaled, Tensor Magnitudes) Of(Tensor flat, int size)
    {
        var blocks = Cut(flat, size);
        var magnitudes = blocks.abs().amax([1]);
        return (blocks.div(magnitudes.clamp_min(Scalars.Of(float.Epsilon)).unsqueeze(1)), magnitudes);
    }

    /// <summary>(blocks, size), the last filled up with zeros.</summary>
    public static Tensor Cut(Tensor flat, int size) => nn.functional.pad(flat, [0, (size - (flat.shape[0] % size)) % size]).view(-1, size);
}
