using System.Runtime.InteropServices;

namespace Llava.ModelCore.Kernels.Products;

/// <summary>One float panel times a few tokens, as a kernel takes it. The order of the fields is the assembled kernels' contract.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FloatTile
{
    /// <summary>First column's line of the panel.</summary>
    public byte* Weights;

    /// <summary>First token's columns.</summary>
    public float* Tokens;

    /// <summary>Bytes between two tokens.</summary>
    public long TokenStride;

    /// <summary>Columns.</summary>
    public long Columns;

    /// <summary>First token's output of the panel's first row.</summary>
    public float* Output;

    /// <summary>Bytes between two tokens of the output.</summary>
    public long OutputStride;
}
