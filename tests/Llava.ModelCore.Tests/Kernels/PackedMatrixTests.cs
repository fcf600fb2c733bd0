using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Tests.Kernels;

public sealed class PackedMatrixTests
{
    private readonly Random _random = new(1);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(33, 47)]
    [InlineData(64, 96)]
    [InlineData(97, 31)]
    public void Float32_keeps_every_weight_and_bfloat16_the_nearest(int rows, int columns)
    {
        var values = Numbers.Ordinary(_random, rows * columns);
        using var exact = Pack(values, rows, columns, WeightFormat.Float32);
        using var half = Pack(values, rows, columns, WeightFormat.BFloat16);
        for (var i = 0; i < values.Length; i++)
        {
            Assert.Equal(values[i], exact[i / columns, i % columns]);
            Assert.Equal(BFloat16Bits.ToSingle(BFloat16Bits.FromSingle(values[i])), half[i / columns, i % columns]);
            Assert.InRange(half[i / columns, i % columns], values[i] - (MathF.Abs(values[i]) / 256), values[i] + (MathF.Abs(values[i]) / 256));
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(33, 47)]
    [InlineData(64, 96)]
    [InlineData(97, 688)]
    public void Int8_is_off_by_half_a_level_at_most(int rows, int columns)
    {
        var values = Numbers.Ordinary(_random, rows * columns);
        using var packed = Pack(values, rows, columns, WeightFormat.Int8);
        EachGroup(values, rows, columns, (weight, row, column, largest) =>
        {
            // Half a level, and what the scale's own rounding takes from the largest.
            var level = largest / 127;
            Assert.InRange(packed[row, column], weight - (0.51f * level) - (largest / 256), weight + (0.51f * level) + (largest / 256));
        });
    }

    [Fact]
    public void Int16_is_off_by_a_sixteen_thousandth_of_the_largest_at_most()
    {
        var values = Numbers.Ordinary(_random, 33 * 47);
        using var packed = Pack(values, 33, 47, WeightFormat.Int16);
        EachGroup(values, 33, 47, (weight, row, column, largest) => Assert.InRange(packed[row, column], weight - (largest / 16_000), weight + (largest / 16_000)));
    }

    [Fact]
    public void Int4_halves_the_error_of_plain_rounding_to_the_largest_and_keeps_sixteen_levels()
    {
        const int Rows = 64, Columns = 256;
        // Sums of uniform numbers: bell-shaped, as weights are.
        float[] values = [.. Enumerable.Range(0, Rows * Columns).Select(_ => (float)(Enumerable.Range(0, 6).Sum(_ => _random.NextDouble()) - 3))];
        using var packed = Pack(values, Rows, Columns, WeightFormat.Int4);
        var (error, plain) = (0.0, 0.0);
        EachGroup(values, Rows, Columns, (weight, row, column, largest) =>
        {
            var level = largest / 7;
            error += Math.Pow(packed[row, column] - weight, 2);
            plain += Math.Pow((MathF.Round(weight / level) * level) - weight, 2);
        });
        Assert.InRange(error, 0, 0.85 * plain);
        for (var row = 0; row < Rows; row++)
        {
            Assert.InRange(Enumerable.Range(0, Panel.Group).Select(column => packed[row, column]).Distinct().Count(), 2, 16);
        }
    }

    [Theory]
    [InlineData("Int8")]
    [InlineData("Int4")]
    [InlineData("Int16")]
    public void Groups_of_nothing_and_of_denormals_are_zero_and_huge_ones_stay_finite(string name)
    {
        var format = Enum.Parse<WeightFormat>(name);
        float[] values = [.. new float[32], .. Enumerable.Repeat(1e-40f, 32), .. Enumerable.Repeat(3e38f, 32), 1e-30f];
        using var packed = Pack(values, 1, values.Length, format);
        Assert.All(Enumerable.Range(0, 64), column => Assert.Equal(0, packed[0, column]));
        Assert.All(Enumerable.Range(64, 32), column => Assert.InRange(packed[0, column], 2.8e38f, 3.2e38f));
        Assert.InRange(packed[0, 96], 0.98e-30f, 1.02e-30f);
    }

    [Fact]
    public void Half_precision_keeps_every_finite_half()
    {
        float[] values = [.. Enumerable.Range(0, 0x10000).Select(bits => (float)BitConverter.UInt16BitsToHalf((ushort)bits)).Where(float.IsFinite)];
        using var packed = Pack(values, 1, values.Length, WeightFormat.Float16);
        Assert.Equal(values, Enumerable.Range(0, values.Length).Select(column => packed[0, column]));
        using NativeBuffer<ushort> halves = new(16);
        for (var i = 0; i < values.Length; i += 16)
        {
            Half[] expected = [.. values[i..Math.Min(i + 16, values.Length)].Select(value => (Half)value)];
            RequireLoaded(halves, expected);
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void A_weight_that_is_no_number_is_refused(float value)
    {
        using PackedMatrix packed = new(1, 40, WeightFormat.Int8);
        var row = Numbers.Ordinary(_random, 40);
        row[35] = value;
        Assert.Throws<ArgumentException>(() => packed.SetRow(0, row));
    }

    private static unsafe void RequireLoaded(NativeBuffer<ushort> memory, Half[] expected)
    {
        expected.CopyTo(new Span<Half>(memory.Start, expected.Length));
        var loaded = HalfElement.Load((byte*)memory.Start);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal((float)expected[i], loaded[i]);
        }
    }

    private static PackedMatrix Pack(float[] values, int rows, int columns, WeightFormat format)
    {
        PackedMatrix packed = new(rows, columns, format);
        for (var row = 0; row < rows; row++)
        {
            packed.SetRow(row, values.AsSpan(row * columns, columns));
        }

        return packed;
    }

    private static void EachGroup(float[] values, int rows, int columns, Action<float, int, int, float> check)
    {
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                var group = column / Panel.Group * Panel.Group;
                var largest = values[((row * columns) + group)..((row * columns) + Math.Min(columns, group + Panel.Group))].Max(MathF.Abs);
                check(values[(row * columns) + column], row, column, largest);
            }
        }
    }
}
