using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Shim;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>
/// As <see cref="PackedAttention"/>, by libtorch's flash attention (Dao 2023), which takes where each sequence begins instead of a mask: nothing is padded, and neither scores nor weights are
/// written down, forward or backward. On CUDA alone.
/// </summary>
internal sealed class FlashPackedAttention : IAttention
{
    private const int Results = 5;
    private const int SizeStep = 8;
    private const int LargestSize = 256;

    private static readonly Lazy<TorchOperator> Forward = new(() => new("aten::_flash_attention_forward", results: Results));

    private readonly PackedProduct _product;

    /// <summary>Lays the sequences out.</summary>
    /// <param name="lengths">Tokens of each sequence.</param>
    /// <param name="device">Where it is computed.</param>
    /// <param name="product">Computes it; null for libtorch's.</param>
    public FlashPackedAttention(IReadOnlyList<int> lengths, Device device, PackedProduct? product = null)
    {
        _product = product ?? Flash;
        Longest = lengths.Max();
        Offsets = tensor((int[])[0, .. lengths.Select((_, row) => lengths.Take(row + 1).Sum())]).Upload(device);
    }

    /// <summary>Causal attention of packed sequences.</summary>
    /// <param name="query">(tokens, heads, size).</param>
    /// <param name="key">(tokens, key-value heads, size).</param>
    /// <param name="value">(tokens, key-value heads, size).</param>
    /// <param name="offsets">int32 (sequences + 1): where each begins, and where the last ends.</param>
    /// <param name="longest">Tokens of the longest.</param>
    /// <returns>(tokens, heads, size), recorded by autograd.</returns>
    public delegate Tensor PackedProduct(Tensor query, Tensor key, Tensor value, Tensor offsets, int longest);

    /// <summary>int32 (sequences + 1): where each sequence begins, and where the last ends.</summary>
    public Tensor Offsets { get; }

    /// <summary>Tokens of the longest sequence.</summary>
    public int Longest { get; }

    /// <summary>Whether libtorch's has a decoder's heads in a type on a kind of device, backward too. Linear biases it has forward only.</summary>
    public static bool Fits(LanguageModelConfig config, DeviceType device, ScalarType type) =>
        device == DeviceType.CUDA && type == ScalarType.BFloat16 && config.Mpt is null && config.HeadSize % SizeStep == 0 && config.HeadSize <= LargestSize;

    /// <inheritdoc/>
    public Tensor Attend(int layer, Tensor query, Tensor key, Tensor value) => _product(query, key, value, Offsets, Longest);

    private static Tensor Flash(Tensor query, Tensor key, Tensor value, Tensor offsets, int longest) => StableShim.Wrap(Forward.Value.Invoke(
        query.Handle, key.Handle, value.Handle,
        ((ShimValue)offsets.Handle).Given(), ((ShimValue)offsets.Handle).Given(), (long)longest, (long)longest,
        0.0, true, false,
        ShimValue.None, ShimValue.None, ShimValue.None, ShimValue.None, ShimValue.None));
}
