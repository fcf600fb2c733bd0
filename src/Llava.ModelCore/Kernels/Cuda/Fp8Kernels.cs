namespace Llava.ModelCore.Kernels.Cuda;

/// <summary>
/// Rounds rows to eight bits (e4m3, the nearest of 253 numbers up to 448), each with a scale that makes its largest magnitude 448: alone, or as the end of what makes the rows, with
/// the same bits. Rows smaller than 10⁻³⁰ become zeros; a row with a number that is none has none for a scale. Pointers are the device's, on 16 bytes' boundaries.
/// </summary>
internal static class Fp8Kernels
{
    /// <summary>The largest number.</summary>
    public const float Largest = 448;

    private const int Threads = 256;
    private const int Vector = 8;

    /// <summary>Rounds rows of a multiple of 8 columns.</summary>
    /// <param name="kernels">The device's.</param>
    /// <param name="input">bfloat16 (rows, columns).</param>
    /// <param name="output">Gets them.</param>
    /// <param name="rows">Rows; 0 does nothing.</param>
    /// <param name="columns">Columns.</param>
    public static void Quantize(DeviceKernels kernels, nint input, Fp8Target output, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(columns % Vector, 0, nameof(columns));
        kernels.Launch("quantize_rows", "quantize_rows", new(rows, Threads), input, output.Codes, output.Scales, columns);
    }

    /// <summary><see cref="ElementKernels.AddRmsNorm"/>, whose output is rounded.</summary>
    public static void AddRmsNorm(DeviceKernels kernels, nint residual, nint delta, nint weight, Fp8Target output, int rows, int columns, float epsilon)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(columns % Vector, 0, nameof(columns));
        kernels.Launch("add_rms_norm_fp8", "add_rms_norm_fp8", new(rows, Threads), residual, delta, weight, output.Codes, output.Scales, columns, epsilon);
    }

    /// <summary><see cref="ElementKernels.GatedActivation"/>, whose output is rounded.</summary>
    public static void GatedActivation(DeviceKernels kernels, nint merged, Fp8Target output, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(columns % Vector, 0, nameof(columns));
        kernels.Launch("gated_activation_fp8", "gated_activation_fp8", new(rows, Threads), merged, output.Codes, output.Scales, columns);
    }
}

/// <summary>Where rounded rows go on the device.</summary>
/// <param name="Codes">e4m3 (rows, columns).</param>
/// <param name="Scales">float32 (rows).</param>
internal readonly record struct Fp8Target(nint Codes, nint Scales);
