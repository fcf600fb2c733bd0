using System.ComponentModel.DataAnnotations;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>What the CUDA runner does by itself and how much it does at once. Everything that changes no answer is on, but for a second stream; a benchmark switches one after the other on.</summary>
public sealed class CudaOptions
{
    /// <summary>Tokens of prompts that one pass takes, packed without padding; rows that decode ride along. Default 12288; halved, down to 1024, where a device is too small otherwise.</summary>
    [Range(16, 65_536)]
    public int PrefillTokens { get; set; } = 12_288;

    /// <summary>New images of a pass that the vision tower sees at once. Default 32; 1 encodes one by one.</summary>
    [Range(1, 1024)]
    public int VisionImages { get; set; } = 32;

    /// <summary>Whether sum with norm, and the gate of the MLP, are one kernel of ours each. Default true; false takes torch's operations.</summary>
    public bool FusedElements { get; set; } = true;

    /// <summary>Whether rotating and storing keys and values are one kernel of ours. Default true; false takes torch's operations.</summary>
    public bool FusedRotary { get; set; } = true;

    /// <summary>Whether rows that decode attend by our kernel. Default true; false has them attend as prompts do.</summary>
    public bool DecodeAttention { get; set; } = true;

    /// <summary>Whether prompts attend by libtorch's flash attention, which is there on CUDA alone. Default true; false takes products in float32, sequence by sequence.</summary>
    public bool FlashAttention { get; set; } = true;

    /// <summary>Whether tokens are chosen on the device where that needs nothing of the host. Default true; false brings all logits to the host.</summary>
    public bool DeviceSampling { get; set; } = true;

    /// <summary>How keys and values are kept. Default bfloat16; fp8 takes about half the bytes, and rounds what rows attend to (docs/gpu.md).</summary>
    [EnumDataType(typeof(KvCacheType))]
    public KvCacheType KvCache { get; set; }

    /// <summary>
    /// Whether the host reads tokens that the device has chosen one step late, while the next step computes with them; a row of which the last token was an end is dropped then.
    /// Default true; false waits for every step.
    /// </summary>
    public bool LateTokens { get; set; } = true;

    /// <summary>
    /// Rows of the largest pass that is recorded as a CUDA graph, of passes in which all rows decode: the host launches them as a whole. Needs our kernels between the products. Default 16; 0 records none.
    /// </summary>
    [Range(0, 256)]
    public int GraphRows { get; set; } = 16;

    /// <summary>
    /// Whether rows that decode and chunks of prompts are passes of their own that the device computes beside each other: the former wait for memory, the latter compute. Takes buffers twice, and no weights of
    /// four bits. Default false.
    /// </summary>
    public bool TwoStreams { get; set; }

    /// <summary>The same with another number of tokens of prompts.</summary>
    internal CudaOptions With(int prefillTokens)
    {
        var changed = (CudaOptions)MemberwiseClone();
        changed.PrefillTokens = prefillTokens;
        return changed;
    }
}
