using System.Numerics;
using Llava.ModelCore.Native.Cuda;

namespace Llava.ModelCore.Kernels.Cuda;

/// <summary>Attention of one query per sequence over its extent of the arena. Pointers are the device's.</summary>
/// <param name="Queries">bfloat16 (rows, heads, size), rotated.</param>
/// <param name="Layer">The arena.</param>
/// <param name="Starts">int32 (rows): where each extent starts.</param>
/// <param name="Lengths">int32 (rows): positions that are seen; 0 for padding, which gets zeros.</param>
/// <param name="Scratch"><see cref="ScratchBytes"/>.</param>
/// <param name="Output">bfloat16 (rows, heads, size).</param>
internal readonly record struct DecodeAttention(nint Queries, KvLayer Layer, nint Starts, nint Lengths, nint Scratch, nint Output)
{
    /// <summary>
    /// Positions of a run, for which one block is enough. Fixed, so that a row's sums do not depend on its neighbours; short enough that one sequence of 700 positions and 32 heads fills
    /// most of an H200, long enough that what a run leaves for the merge is 1 % of what it reads.
    /// </summary>
    public const int Run = 256;

    private const int Threads = 128;

    // By the logarithm of the query heads that a block takes together.
    private static readonly string[] Names = ["decode_attention_1", "decode_attention_2", "decode_attention_4", "decode_attention_8"];
    private static readonly string[] Fp8Names = ["decode_attention_fp8_1", "decode_attention_fp8_2", "decode_attention_fp8_4", "decode_attention_fp8_8"];

    /// <summary>Bytes between the two kernels: sums, then scales.</summary>
    /// <param name="rows">Sequences.</param>
    /// <param name="longest">Of the lengths.</param>
    /// <param name="shape">Heads.</param>
    public static long ScratchBytes(int rows, int longest, HeadShape shape) => Parts(rows, longest, shape) * (shape.Size + 2) * sizeof(float);

    /// <summary>Puts it into the stream.</summary>
    /// <param name="kernels">The device's.</param>
    /// <param name="rows">Sequences.</param>
    /// <param name="longest">At least the longest of the lengths.</param>
    /// <param name="shape">Heads.</param>
    /// <param name="scale">Of the scores, such as 1/√size.</param>
    /// <exception cref="NotSupportedException">The kernels do not take such heads.</exception>
    public void Launch(DeviceKernels kernels, int rows, int longest, HeadShape shape, float scale)
    {
        shape.ThrowIfNotSupported();
        var name = Math.Min(Names.Length - 1, BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)shape.Group)));
        var parts = (shape.Group + (1 << name) - 1) >> name;
        var scales = Scratch + (nint)(Parts(rows, longest, shape) * shape.Size * sizeof(float));
        LaunchShape blocks = new(rows, Threads, shape.Shared * parts, Runs(longest));
        if (Layer.IsFp8)
        {
            kernels.Launch(
                "decode_attention_fp8", Fp8Names[name], blocks,
                Queries, Layer.Keys, Layer.Values, Layer.KeyScales, Layer.ValueScales, Starts, Lengths, Scratch, scales, shape.Heads, shape.Shared, shape.Size, Layer.Positions, Run, scale);
        }
        else
        {
            kernels.Launch(
                "decode_attention", Names[name], blocks,
                Queries, Layer.Keys, Layer.Values, Starts, Lengths, Scratch, scales, shape.Heads, shape.Shared, shape.Size, Run, scale);
        }

        kernels.Launch("decode_attention", "merge_attention", new(rows, Threads, shape.Heads), Scratch, scales, Output, shape.Heads, Runs(longest), shape.Size);
    }

    /// <summary>As many runs as a power of two, so that a few launches serve all lengths; runs that are too many change nothing.</summary>
    /// <param name="longest">Positions.</param>
    /// <param name="most">Positions that the scratch memory is for: no more than these.</param>
    public static int Reach(int longest, int most) => (int)Math.Min(most, (long)Run * BitOperations.RoundUpToPowerOf2((uint)Runs(longest)));

    private static int Runs(int longest) => Math.Max(1, (longest + Run - 1) / Run);

    private static long Parts(int rows, int longest, HeadShape shape) => (long)rows * shape.Heads * Runs(longest);
}
