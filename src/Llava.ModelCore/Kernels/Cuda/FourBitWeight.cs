using System.Numerics;

namespace Llava.ModelCore.Kernels.Cuda;

/// <summary>A weight of four bits on the device, two in a byte, row by row, the first in the high half. Pointers are the device's.</summary>
/// <param name="Codes">(rows, columns / 2) bytes.</param>
/// <param name="Scales">A scale for each group of columns: bfloat16 for 32 columns of <c>int4</c>, float32 for 64 of <c>nf4</c>.</param>
/// <param name="Rows">Outputs.</param>
/// <param name="Columns">Inputs: a multiple of the group.</param>
/// <param name="IsNf4">The normal float of QLoRA; otherwise (code − 8) · scale.</param>
internal readonly record struct FourBitWeight(nint Codes, nint Scales, int Rows, int Columns, bool IsNf4)
{
    /// <summary>Tokens of which a product may have as many; more are faster by <see cref="Dequantize"/> and a product of the library.</summary>
    public const int MaxTokens = 8;

    private const int Threads = 128;
    private const int Warps = Threads / 32;
    private const int RunColumns = 32;

    // By the logarithm of the tokens.
    private static readonly string[] Int4Products = ["int4_product_1", "int4_product_2", "int4_product_4", "int4_product_8"];
    private static readonly string[] Nf4Products = ["nf4_product_1", "nf4_product_2", "nf4_product_4", "nf4_product_8"];

    /// <summary>Columns that share a scale.</summary>
    public int Group => IsNf4 ? 64 : 32;

    /// <summary>output = input · weightᵀ.</summary>
    /// <param name="kernels">The device's.</param>
    /// <param name="input">bfloat16 (tokens, columns).</param>
    /// <param name="output">bfloat16 (tokens, rows).</param>
    /// <param name="tokens">1 to <see cref="MaxTokens"/>; they are multiplied in portions of 8, 4, 2 and 1.</param>
    public void Multiply(DeviceKernels kernels, nint input, nint output, int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Columns % Group, 0, nameof(Columns));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens, MaxTokens);
        for (var done = 0; done < tokens;)
        {
            var portion = BitOperations.Log2((uint)(tokens - done));
            kernels.Launch(
                "four_bit_product", (IsNf4 ? Nf4Products : Int4Products)[portion], new((Rows + Warps - 1) / Warps, Threads),
                Codes, Scales, input + (done * Columns * sizeof(ushort)), output + (done * Rows * sizeof(ushort)), Rows, Columns);
            done += 1 << portion;
        }
    }

    /// <summary>The weight as bfloat16 (rows, columns).</summary>
    public void Dequantize(DeviceKernels kernels, nint output)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Columns % Group, 0, nameof(Columns));
        var count = (long)Rows * Columns;
        var blocks = (int)((count + (Threads * RunColumns) - 1) / (Threads * RunColumns));
        kernels.Launch("four_bit_dequantize", IsNf4 ? "nf4_dequantize" : "int4_dequantize", new(blocks, Threads), Codes, Scales, output, count);
    }
}
