using System.Runtime.InteropServices;

namespace Llava.ModelCore.Kernels.Products;

/// <summary>One panel times a few tokens, as a kernel takes it. The order of the fields is the assembled kernels' contract.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Tile
{
    /// <summary>Mask of the lower four bits of each byte.</summary>
    public const uint LowNibbles = 0x0F0F0F0F;

    /// <summary>First record of the panel.</summary>
    public byte* Weights;

    /// <summary>First token's record of the first group.</summary>
    public byte* Tokens;

    /// <summary>Bytes between two groups of a token.</summary>
    public long GroupStride;

    /// <summary>Groups of 32 columns.</summary>
    public long Groups;

    /// <summary>First token's output of the panel's first row.</summary>
    public float* Output;

    /// <summary>Bytes between two tokens of the output.</summary>
    public long OutputStride;

    /// <summary><see cref="LowNibbles"/>.</summary>
    public uint Mask;
}
