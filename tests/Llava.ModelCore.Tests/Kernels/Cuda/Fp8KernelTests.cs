using System.Runtime.InteropServices;
using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Shim;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

public sealed class Fp8KernelTests : IDisposable
{
    private const float Epsilon = 1e-5f;

    private readonly EmulatedDevice _device = new();
    private readonly FreshNumbers _numbers = new();

    public void Dispose() => _device.Dispose();

    [Fact]
    public unsafe void Every_bfloat16_and_every_border_between_two_codes_becomes_the_nearest_of_all_numbers()
    {
        var convert = (delegate* unmanaged<float, uint>)NativeLibrary.GetExport(NativeLibrary.Load(EmulatedDevice.Library), "emulator_e4m3");
        var halves = Enumerable.Range(0, 0x10000).Select(bits => BFloat16Bits.ToSingle((ushort)bits));
        var borders = Enumerable.Range(0, 0x7E).Select(code => (float)((E4m3.Book[code] + E4m3.Book[code + 1]) / 2)).SelectMany(border => new[] { border, MathF.BitDecrement(border), MathF.BitIncrement(border), -border });
        foreach (var number in (float[])[.. halves, .. borders])
        {
            var code = (int)convert(number);
            Assert.True(float.IsNaN(number) ? (code & 0x7F) == 0x7F : code == E4m3.Nearest(number), $"{number} became {code}");
        }
    }

    [Fact]
    public void Codes_are_those_of_libtorch()
    {
        TorchLibrary.EnsureLoaded();
        using var scope = NewDisposeScope();
        var numbers = StableShim.AsFloat8(tensor([.. Enumerable.Range(0, 256).Select(code => (byte)code)])).to(ScalarType.Float64).data<double>().ToArray();
        Assert.Equal(E4m3.Book, numbers);
    }

    [Theory]
    [InlineData(1, 8)]
    [InlineData(3, 48)]
    [InlineData(2, 4104)]
    public void Rows_are_rounded_by_their_own_largest_number(int rows, int columns)
    {
        foreach (var make in (Func<int, float[]>[])[_numbers.Ordinary, _numbers.Extreme, count => new float[count]])
        {
            using var input = DeviceNumbers.Half(make(rows * columns));
            using Rounded rounded = new(rows, columns);
            _device.InEveryOrder(() => Fp8Kernels.Quantize(_device.Kernels, input, rounded.Target, rows, columns), rounded.Codes);
            Fp8Kernels.Quantize(_device.Kernels, input, rounded.Target, rows, columns);
            for (var row = 0; row < rows; row++)
            {
                E4m3.AssertRounded(input.Span.Slice(row * columns, columns), rounded.Codes.Span.Slice(row * columns, columns), rounded.Scales.Span[row], $"row {row}, {_numbers}");
            }
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void A_number_that_is_none_spoils_its_own_row_only(float bad)
    {
        using var input = DeviceNumbers.Half([.. new float[20], bad, .. Enumerable.Repeat(1f, 11)]);
        using Rounded rounded = new(2, 16);
        Fp8Kernels.Quantize(_device.Kernels, input, rounded.Target, 2, 16);
        Assert.Equal(new byte[16], rounded.Codes.Span[..16].ToArray());
        Assert.Equal((false, true), (float.IsNaN(rounded.Scales.Span[0]), float.IsNaN(rounded.Scales.Span[1])));
    }

    [Theory]
    [InlineData(1, 8)]
    [InlineData(3, 40)]
    [InlineData(2, 2056)]
    public void Norm_and_gate_give_the_bits_that_rounding_afterwards_does(int rows, int columns)
    {
        using var weight = DeviceNumbers.Half(_numbers.Ordinary(columns));
        using var delta = DeviceNumbers.Half(_numbers.Ordinary(rows * columns));
        using var merged = DeviceNumbers.Half(_numbers.Ordinary(rows * 2 * columns));
        var start = merged.Span[..(rows * columns)].ToArray();
        foreach (var change in (nint[])[delta, 0])
        {
            using DeviceMemory<ushort> residual = new(start), sums = new(start);
            AssertSame(
                rows, columns,
                output => ElementKernels.AddRmsNorm(_device.Kernels, sums, change, weight, output, rows, columns, Epsilon),
                target =>
                {
                    start.CopyTo(residual.Span);
                    Fp8Kernels.AddRmsNorm(_device.Kernels, residual, change, weight, target, rows, columns, Epsilon);
                });
            Assert.Equal(sums.ToArray(), residual.ToArray());
        }

        AssertSame(
            rows, columns,
            output => ElementKernels.GatedActivation(_device.Kernels, merged, output, rows, columns),
            target => Fp8Kernels.GatedActivation(_device.Kernels, merged, target, rows, columns));
    }

    [Fact]
    public void Columns_that_are_no_whole_vectors_are_refused_and_no_rows_do_nothing()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Fp8Kernels.Quantize(_device.Kernels, 0, default, 1, 12));
        Assert.Throws<ArgumentOutOfRangeException>(() => Fp8Kernels.GatedActivation(_device.Kernels, 0, default, 1, 12));
        Assert.Throws<ArgumentOutOfRangeException>(() => Fp8Kernels.AddRmsNorm(_device.Kernels, 0, 0, 0, default, 1, 12, Epsilon));
        Fp8Kernels.Quantize(_device.Kernels, 0, default, 0, 16);
    }

    private void AssertSame(int rows, int columns, Action<DeviceMemory<ushort>> make, Action<Fp8Target> fused)
    {
        using DeviceMemory<ushort> plain = new(rows * columns);
        using Rounded afterwards = new(rows, columns), once = new(rows, columns);
        make(plain);
        Fp8Kernels.Quantize(_device.Kernels, plain, afterwards.Target, rows, columns);
        _device.InEveryOrder(() => fused(once.Target), once.Codes);
        fused(once.Target);
        Assert.Equal(afterwards.Codes.ToArray(), once.Codes.ToArray());
        Assert.Equal(afterwards.Scales.ToArray(), once.Scales.ToArray());
        once.Scales.ThrowIfTouchedOutside();
    }

    private sealed class Rounded(int rows, int columns) : IDisposable
    {
        public DeviceMemory<byte> Codes { get; } = new(rows * columns);

        public DeviceMemory<float> Scales { get; } = new(rows);

        public Fp8Target Target => new(Codes, Scales);

        public void Dispose()
        {
            Codes.Dispose();
            Scales.Dispose();
        }
    }
}
