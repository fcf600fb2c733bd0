namespace Llava.ModelCore.Kernels.Cuda;

/// <summary>What lies between the products: sum and norm, the gate, and lines of tables. All numbers are bfloat16, all pointers are the device's, on 16 bytes' boundaries.</summary>
internal static class ElementKernels
{
    private const int Threads = 256;
    private const int Vector = 8;

    /// <summary>residual += delta, output = RmsNorm(residual) · weight: each of rows of a multiple of 8 columns.</summary>
    /// <param name="kernels">The device's.</param>
    /// <param name="residual">(rows, columns), changed in place.</param>
    /// <param name="delta">(rows, columns); 0 adds nothing.</param>
    /// <param name="weight">(columns).</param>
    /// <param name="output">(rows, columns).</param>
    /// <param name="rows">Rows; 0 does nothing.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="epsilon">Added to the mean of the squares.</param>
    public static void AddRmsNorm(DeviceKernels kernels, nint residual, nint delta, nint weight, nint output, int rows, int columns, float epsilon)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(columns % Vector, 0, nameof(columns));
        kernels.Launch("add_rms_norm", "add_rms_norm", new(rows, Threads), residual, delta, weight, output, columns, epsilon);
    }

    /// <summary>output = silu(gate) · up.</summary>
    /// <param name="kernels">The device's.</param>
    /// <param name="merged">(rows, 2 · columns): the gate, then what it opens for.</param>
    /// <param name="output">(rows, columns).</param>
    /// <param name="rows">Rows; 0 does nothing.</param>
    /// <param name="columns">A multiple of 8.</param>
    public static void GatedActivation(DeviceKernels kernels, nint merged, nint output, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(columns % Vector, 0, nameof(columns));
        kernels.Launch("gated_activation", "gated_activation", new(rows, Threads, Y: (columns + (Threads * Vector) - 1) / (Threads * Vector)), merged, output, columns);
    }
    /// <summary>output[row] = table[line of the row].</summary>
    /// <param name="kernels">The device's.</param>
    /// <param name="table">(lines, columns).</param>
    /// <param name="indices">int32 (rows): lines.</param>
    /// <param name="places">int32 (rows): where among the tokens a row's line lies, negative where among the indices; 0 where it never is among the tokens.</param>
    /// <param name="tokens">int32: lines that only the device knows; a negative one counts as 0.</param>
    /// <param name="output">(rows, columns).</param>
    /// <param name="rows">Rows; 0 does nothing.</param>
    /// <param name="columns">A multiple of 8.</param>
    public static void GatherRows(DeviceKernels kernels, nint table, nint indices, nint places, nint tokens, nint output, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(columns % Vector, 0, nameof(columns));
        kernels.Launch("gather_rows", "gather_rows", new(rows, Threads), table, indices, places, tokens, output, columns);
    }

    /// <summary>The same numbers as float32.</summary>
    /// <param name="kernels">The device's.</param>
    /// <param name="numbers">So many.</param>
    /// <param name="output">float32, as many.</param>
    /// <param name="count">0 does nothing.</param>
    public static void Widen(DeviceKernels kernels, nint numbers, nint output, long count) =>
        kernels.Launch("widen_numbers", "widen_numbers", new((int)((count + (Threads * Vector) - 1) / (Threads * Vector)), Threads), numbers, output, count);
}
