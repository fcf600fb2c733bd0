using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>
/// What one forward pass of the language model attends to: the padded batch of a training step, or the extents of a KV cache.
/// </summary>
public interface IAttention
{
    /// <summary>Attends for one layer.</summary>
    /// <param name="layer">Layer index from 0.</param>
    /// <param name="query">(tokens, heads, head size), rotated, not yet scaled.</param>
    /// <param name="key">(tokens, key-value heads, head size), rotated.</param>
    /// <param name="value">(tokens, key-value heads, head size).</param>
    /// <returns>(tokens, heads, head size).</returns>
    Tensor Attend(int layer, Tensor query, Tensor key, Tensor value);
}
