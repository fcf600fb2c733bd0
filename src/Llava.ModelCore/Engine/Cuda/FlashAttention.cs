using Llava.ModelCore.Native.Shim;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>
/// libtorch's flash attention over extents: what it takes for offsets of packed keys are the starts of the extents, and beside them it is told how long each is, so that extents may lie
/// in any order. There on CUDA alone.
/// </summary>
internal static class FlashAttention
{
    private const int Results = 5;

    private static readonly TorchOperator Forward = new("aten::_flash_attention_forward", results: Results);

    /// <summary>Attends.</summary>
    /// <param name="queries">bfloat16 (rows, heads, size) of all spans, one behind the other.</param>
    /// <param name="keys">bfloat16 (positions, shared, size).</param>
    /// <param name="values">bfloat16 (positions, shared, size).</param>
    /// <param name="offsets">int32 (spans + 1): where each span's rows begin, and where the last ends.</param>
    /// <param name="starts">int32 (spans + 1): where each span's extent starts; the last number is not looked at.</param>
    /// <param name="lengths">int32 (spans): positions that a span's last row sees.</param>
    /// <param name="mostRows">Of a span.</param>
    /// <param name="longest">Of the lengths.</param>
    /// <returns>bfloat16 (rows, heads, size), in the caller's scope.</returns>
    public static Tensor Over(Tensor queries, Tensor keys, Tensor values, Tensor offsets, Tensor starts, Tensor lengths, int mostRows, int longest) => StableShim.Wrap(Forward.Invoke(
        queries.Handle, keys.Handle, values.Handle,
        ((ShimValue)offsets.Handle).Given(), ((ShimValue)starts.Handle).Given(), (long)mostRows, (long)longest,
        0.0, true, false,
        ((ShimValue)(1 / Math.Sqrt(queries.shape[2]))).Given(), ShimValue.None, ShimValue.None,
        ((ShimValue)lengths.Handle).Given(), ShimValue.None));
}
