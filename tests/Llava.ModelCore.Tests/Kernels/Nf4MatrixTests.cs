using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Native;
using Llava.ModelCore.Quantization;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Kernels;

/// <summary>Matrices in NF4: the bits of the half-precision numbers that bitsandbytes multiplies by, in a quarter of their memory.</summary>
public sealed unsafe class Nf4MatrixTests : IDisposable
{
    private readonly WorkerPool _pool = new(2);
    private readonly DisposeScope _scope;

    public Nf4MatrixTests()
    {
        TorchLibrary.EnsureLoaded();
        _scope = NewDisposeScope();
    }

    public static TheoryData<KernelKind> Kernels => [.. ((KernelKind[])[IntegerKernels.Available[0], KernelKind.Portable]).Distinct()];

    public void Dispose()
    {
        _scope.Dispose();
        _pool.Dispose();
    }

    // Rows that begin amid the 256 blocks which share a scale, and one that spans three of them; magnitudes from denormal halves to the largest.
    [Theory]
    [InlineData(1, 64, 1)]
    [InlineData(33, 128, 1)]
    [InlineData(75, 704, 1)]
    [InlineData(3, 64 * 600, 1)]
    [InlineData(40, 320, 3e-7)]
    [InlineData(40, 320, 2e-5)]
    [InlineData(40, 320, 10000)]
    public void Weights_are_the_dequantized_ones_in_half_precision(int rows, int columns, double size)
    {
        var value = randn(rows, columns, generator: new Generator(1)).mul(Scalars.Of(size));
        using var matrix = Packed(WeightFormat.Nf4, ("a", value));
        using var coded = Nf4Weight.Of(value);
        var expected = coded.Dequantize(ScalarType.Float16).to(ScalarType.Float32).data<float>().ToArray();
        var (actual, expanded) = (new float[expected.Length], Expanded(matrix));
        for (var i = 0; i < actual.Length; i++)
        {
            actual[i] = matrix[i / columns, i % columns];
            Assert.Equal(actual[i], expanded[i]);
        }

        Assert.Equal(expected, actual);
        Assert.InRange(8.0 * matrix.Bytes / (Panel.Padded(rows) * columns), 4.1, rows > 3 ? 6 : 12);
    }

    [Theory, MemberData(nameof(Kernels))]
    public void Products_have_the_bits_of_products_with_half_precision(KernelKind kind)
    {
        Random random = new(2);
        for (var i = 0; i < 24; i++)
        {
            // Two parameters, each with a mean of its own, that do not end where a panel does.
            var (first, second, columns, tokens) = (random.Next(1, 70), random.Next(1, 40), 64 * random.Next(1, i % 4 == 0 ? 12 : 4), i % 6 == 0 ? random.Next(190, 220) : random.Next(1, 20));
            (string, Tensor)[] parameters = [("a", randn(first, columns)), ("b", randn(second, columns).mul(Scalars.Of(0.01)))];
            using var matrix = Packed(WeightFormat.Nf4, parameters);
            using PackedMatrix half = new(matrix.Rows, columns, WeightFormat.Float16);
            for (var row = 0; row < matrix.Rows; row++)
            {
                half.SetRow(row, [.. Enumerable.Range(0, columns).Select(column => matrix[row, column])]);
            }

            using var input = Numbers.Rows(Numbers.Ordinary(random, tokens * columns), tokens, columns, columns + 3);
            Assert.Equal(Multiply(kind, half, input, tokens, adds: i % 2 == 0), Multiply(kind, matrix, input, tokens, adds: i % 2 == 0));
        }
    }

    [Fact]
    public void Rows_that_are_no_whole_blocks_are_kept_in_half_precision()
    {
        using var matrix = Packed(WeightFormat.Float16, ("a", randn(5, 100)));
        Assert.Equal(2L * 32 * 100, matrix.Bytes);
    }

    [Theory]
    [InlineData(1e5)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void What_half_precision_has_no_number_for_is_refused(double weight)
    {
        var value = zeros(2, 64);
        value[1, 3] = (float)weight;
        Assert.Contains("'a' cannot be loaded", Assert.Throws<CheckpointException>(() => Packed(WeightFormat.Nf4, ("a", value))).Message, StringComparison.Ordinal);
    }

    private PackedMatrix Packed(WeightFormat format, params (string Name, Tensor Value)[] parameters)
    {
        DecoderPart part = new("part", DecoderPartKind.Layer, (int)parameters[0].Value.shape[1], [.. parameters.Select(one => (one.Name, (int)one.Value.shape[0]))]);
        var matrix = new DecoderPacking(QuantizationScheme.Nf4, name => parameters.Single(one => one.Name == name).Value.clone(), _pool).Matrix(part);
        Assert.Equal(format, matrix.Format);
        return matrix;
    }

    private float[] Multiply(KernelKind kind, PackedMatrix matrix, NativeBuffer<float> input, int tokens, bool adds)
    {
        var stride = Panel.Padded(matrix.Rows) + 16;
        using var output = Numbers.Rows([.. Enumerable.Repeat(0.5f, tokens * matrix.Rows)], tokens, matrix.Rows, stride);
        using QuantizedRows unused = new(1, 1);
        new MatrixProduct(IntegerKernels.Get(kind)).Run(_pool, matrix, unused, new Rows(input.Start, matrix.Columns + 3), tokens, new Rows(output.Start, stride), adds);
        return [.. Enumerable.Range(0, tokens * matrix.Rows).Select(i => output.Start[((long)(i / matrix.Rows) * stride) + (i % matrix.Rows)])];
    }

    private static float[] Expanded(PackedMatrix matrix)
    {
        using NativeBuffer<float> panel = new((long)matrix.Columns * Panel.Rows);
        var values = new float[matrix.Rows * matrix.Columns];
        for (var row = 0; row < matrix.Rows; row++)
        {
            if (row % Panel.Rows == 0)
            {
                Nf4Panel.Expand(matrix.PanelAt(row / Panel.Rows), matrix.Columns, 0, matrix.Columns, panel.Start);
            }

            for (var column = 0; column < matrix.Columns; column++)
            {
                values[(row * matrix.Columns) + column] = panel.Start[(column * Panel.Rows) + (row % Panel.Rows)];
            }
        }

        return values;
    }
}
