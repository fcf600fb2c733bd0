using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Linear;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Kernels.Cuda;

/// <summary>Rounds weights to what <see cref="FourBitWeight"/> multiplies by: the numbers of the CPU's <c>int4</c>, and NF4 whose magnitudes stay in float32.</summary>
internal static unsafe class FourBitCodes
{
    /// <summary>Codes in a byte.</summary>
    public const int PerByte = 2;

    private const int Int4Offset = 8;

    /// <summary>Bytes of a matrix of whole groups: codes and scales.</summary>
    public static long BytesOf(long count, bool isNf4) => (count / PerByte) + (count / GroupOf(isNf4) * (isNf4 ? sizeof(float) : sizeof(ushort)));

    /// <summary>Columns that share a scale.</summary>
    public static int GroupOf(bool isNf4) => isNf4 ? Nf4.Block : Panel.Group;

    /// <summary>Rounds a weight; it is left as it is.</summary>
    /// <param name="weight">(rows, columns) of any type, columns of whole groups.</param>
    /// <param name="isNf4">NF4, or <c>int4</c>.</param>
    /// <param name="pool">Threads that round <c>int4</c>.</param>
    /// <returns>uint8 (rows, columns / 2), and scales: float32, or the bits of bfloat16 as int16, (rows, columns / group). In the caller's scope.</returns>
    public static (Tensor Codes, Tensor Scales) Of(Tensor weight, bool isNf4, WorkerPool pool)
    {
        using var scope = NewDisposeScope();
        var (rows, columns) = (weight.shape[0], weight.shape[1]);
        var (codes, scales) = isNf4 ? Nf4.Quantize(weight) : Rounded(weight, pool);
        return (codes.view(rows, columns / PerByte).MoveToOuterDisposeScope(), scales.view(rows, columns / GroupOf(isNf4)).MoveToOuterDisposeScope());
    }

    private static (Tensor Codes, Tensor Scales) Rounded(Tensor weight, WorkerPool pool)
    {
        using var numbers = weight.to(ScalarType.Float32).cpu().contiguous();
        var (rows, groups) = ((int)weight.shape[0], (int)(weight.shape[1] / Panel.Group));
        var (codes, scales) = (new byte[weight.numel() / PerByte], new short[(long)rows * groups]);
        var first = (nint)TensorMemory.Of(numbers);
        new EachRow(row =>
        {
            Span<short> levels = stackalloc short[Panel.Group];
            for (var i = (long)row * groups; i < ((long)row + 1) * groups; i++)
            {
                scales[i] = (short)GroupRounding.Round(Group(first, i), WeightFormat.Int4, levels);
                for (var pair = 0; pair < Panel.Group / PerByte; pair++)
                {
                    codes[(i * Panel.Group / PerByte) + pair] = (byte)(((levels[PerByte * pair] + Int4Offset) << 4) | (levels[(PerByte * pair) + 1] + Int4Offset));
                }
            }
        }).Run(pool, rows);
        return (tensor(codes), tensor(scales));
    }

    private static ReadOnlySpan<float> Group(nint first, long index) => new((float*)first + (index * Panel.Group), Panel.Group);
}
