using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Tests.Parity;

namespace Llava.ModelCore.Tests.Kernels;

/// <summary>LLM.int8(): against bitsandbytes' definitions (case H), and on any shape and every kernel against the scalar definition, bit by bit.</summary>
public sealed unsafe class LlmInt8ProductTests
{
    private const float Threshold = 6;

    public static TheoryData<KernelKind> Kernels => [.. IntegerKernels.Available];

    [Theory, MemberData(nameof(Kernels))]
    public void Integers_scales_outliers_and_products_are_those_of_bitsandbytes(KernelKind kind)
    {
        using var expected = SafeTensorsFile.Open(Path.Combine(FixtureFolder.Case("H"), "expected.safetensors"));
        var (weightShape, shape) = (expected.Entry("weight_f16").Shape, expected.Entry("int8.x").Shape);
        var (rows, columns, tokens) = ((int)weightShape[0], (int)weightShape[1], (int)shape[0]);
        using var matrix = Pack([.. expected.ReadArray<Half>("weight_f16").Select(value => (float)value)], rows, columns);
        var (levels, largest) = (expected.ReadArray<sbyte>("int8.weight_q"), expected.ReadArray<float>("int8.weight_rowmax"));
        for (var i = 0; i < levels.Length; i++)
        {
            Assert.Equal(levels[i] * (largest[i / columns] / 127), matrix[i / columns, i % columns]);
        }

        using var input = Numbers.Rows(expected.ReadArray<float>("int8.x"), tokens, columns, columns);
        using var integers = Rounded(input, tokens, columns, isTogether: true);
        Assert.Equal(expected.ReadArray<int>("int8.outlier_cols"), Apart(integers, 0, columns));
        Assert.Equal(expected.ReadArray<float>("int8.x_rowmax").Select(value => value / 127), Enumerable.Range(0, tokens).Select(integers.ByRow!.ScaleOf));
        Assert.Equal(expected.ReadArray<sbyte>("int8.x_q"), Levels(integers, tokens, columns));

        var (y, actual) = (expected.ReadArray<float>("int8.y"), Multiply(kind, matrix, integers, input, tokens, null));
        // Of the manifest: "int8.y atol 1e-4".
        Assert.All(y.Zip(actual), pair => Assert.InRange(pair.Second, pair.First - 1e-4f, pair.First + 1e-4f));
    }

    [Theory, MemberData(nameof(Kernels))]
    public void Any_shape_gives_the_bits_of_the_definition_alone_and_added_to_what_is_there(KernelKind kind)
    {
        Random random = new(1);
        for (var i = 0; i < 40; i++)
        {
            var (rows, columns, tokens) = (random.Next(1, 100), random.Next(1, i % 4 == 0 ? 900 : 100), i % 8 == 0 ? random.Next(190, 230) : random.Next(1, 20));
            var (weights, x) = (Numbers.Ordinary(random, rows * columns), Tokens(random, tokens * columns));
            using var matrix = Pack(weights, rows, columns);
            using var input = Numbers.Rows(x, tokens, columns, columns + 3);
            using var integers = Rounded(input, tokens, columns, isTogether: false, stride: columns + 3);
            var before = i % 2 == 0 ? null : Numbers.Ordinary(random, tokens * rows);
            var actual = Multiply(kind, matrix, integers, input, tokens, before, columns + 3);
            for (var j = 0; j < actual.Length; j++)
            {
                var product = Definition(weights.AsSpan(j % rows * columns, columns), x.AsSpan(j / rows * columns, columns));
                Assert.Equal(before is null ? product : before[j] + product, actual[j]);
            }
        }
    }

    [Fact]
    public void A_token_that_is_no_number_makes_its_own_row_nan_and_an_infinite_one_stands_apart()
    {
        const int Rows = 40, Columns = 70, Tokens = 3;
        Random random = new(2);
        var x = Numbers.Ordinary(random, Tokens * Columns);
        (x[5], x[Columns + 69]) = (float.NaN, float.PositiveInfinity);
        using var matrix = Pack([.. Numbers.Ordinary(random, Rows * Columns).Select(value => value + 3)], Rows, Columns);
        using var input = Numbers.Rows(x, Tokens, Columns, Columns);
        using var integers = Rounded(input, Tokens, Columns, isTogether: false);
        var actual = Multiply(IntegerKernels.Available[0], matrix, integers, input, Tokens, null);
        Assert.All(actual[..Rows], value => Assert.Equal(float.NaN, value));
        Assert.All(actual[Rows..(2 * Rows)], value => Assert.Equal(float.PositiveInfinity, value));
        Assert.All(actual[(2 * Rows)..], value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void Without_a_threshold_nothing_stands_apart()
    {
        using var input = Numbers.Rows([100, -200, 3], 1, 3, 3);
        using QuantizedRows integers = new(1, 3, outlierThreshold: 0);
        integers.Set(0, 1, input.Start, 3, WeightFormat.LlmInt8);
        Assert.Empty(Apart(integers, 0, 3));
        Assert.Equal([64, -127, 2], Levels(integers, 1, 3));
    }

    /// <summary>One output, number by number.</summary>
    private static float Definition(ReadOnlySpan<float> weights, ReadOnlySpan<float> x)
    {
        var (weightMost, most) = (0f, 0f);
        foreach (var weight in weights)
        {
            weightMost = MathF.Max(weightMost, MathF.Abs(weight));
        }

        foreach (var value in x)
        {
            most = MathF.Abs(value) >= Threshold ? most : MathF.Max(most, MathF.Abs(value));
        }

        var (sum, apart) = (0, new List<(int Level, float Value)>());
        for (var k = 0; k < x.Length; k++)
        {
            var level = (int)MathF.Round(weights[k] * (1 / weightMost * 127));
            if (MathF.Abs(x[k]) >= Threshold)
            {
                apart.Add((level, x[k]));
            }
            else if (most > 0)
            {
                sum += level * (int)MathF.Round(x[k] * (1 / most * 127));
            }
        }

        return apart.Aggregate(sum * (most / 127), (total, one) => MathF.FusedMultiplyAdd(one.Level, one.Value, total)) * (weightMost / 127);
    }

    /// <summary>Numbers of which some are outliers, and some exactly at the threshold; one token in a few is nothing but zeros.</summary>
    private static float[] Tokens(Random random, int count) =>
        [.. Numbers.Ordinary(random, count).Select(value => random.Next(30) switch { 0 => value * 20, 1 => -Threshold, 2 => 0, _ => value })];

    private static PackedMatrix Pack(float[] weights, int rows, int columns)
    {
        PackedMatrix matrix = new(rows, columns, WeightFormat.LlmInt8);
        for (var row = 0; row < rows; row++)
        {
            matrix.SetRow(row, weights.AsSpan(row * columns, columns));
        }

        return matrix;
    }

    /// <summary>Rounds tokens, each by itself as here, or with the same columns apart in all as bitsandbytes does.</summary>
    private static QuantizedRows Rounded(NativeBuffer<float> input, int tokens, int columns, bool isTogether, int? stride = null)
    {
        QuantizedRows integers = new(tokens, columns, outlierThreshold: Threshold);
        for (var token = 0; token < tokens; token++)
        {
            integers.Set(token, tokens, input.Start + ((long)token * (stride ?? columns)), columns, WeightFormat.LlmInt8);
        }

        if (isTogether)
        {
            var rows = integers.ByRow!;
            for (var group = 0; group < Panel.Groups(columns); group++)
            {
                var all = Enumerable.Range(0, tokens).Aggregate(0u, (bits, token) => bits | rows.ApartOf(token)[group]);
                for (var token = 0; token < tokens; token++)
                {
                    rows.ApartOf(token)[group] = all;
                }
            }

            for (var token = 0; token < tokens; token++)
            {
                rows.Round(token, tokens, input.Start + ((long)token * columns), columns, integers);
            }
        }

        return integers;
    }

    private static int[] Apart(QuantizedRows integers, int token, int columns) =>
        [.. Enumerable.Range(0, columns).Where(column => (integers.ByRow!.ApartOf(token)[column / 32] >> (column % 32) & 1) == 1)];

    private static sbyte[] Levels(QuantizedRows integers, int tokens, int columns)
    {
        var levels = new sbyte[tokens * columns];
        for (var i = 0; i < levels.Length; i++)
        {
            var record = integers.RecordAt(i / columns, WeightFormat.LlmInt8) + ((long)(i % columns / 32) * tokens * QuantizedRows.RecordBytes(WeightFormat.LlmInt8));
            levels[i] = (sbyte)record[QuantizedRows.LevelsOffset + (i % columns % 32)];
        }

        return levels;
    }

    private static float[] Multiply(KernelKind kind, PackedMatrix matrix, QuantizedRows integers, NativeBuffer<float> input, int tokens, float[]? before, int? inputStride = null)
    {
        using WorkerPool pool = new(2);
        var (rows, stride) = (matrix.Rows, Panel.Padded(matrix.Rows) + 16);
        using var output = before is null ? new NativeBuffer<float>((long)tokens * stride) : Numbers.Rows(before, tokens, rows, stride);
        new MatrixProduct(IntegerKernels.Get(kind)).Run(pool, matrix, integers, new Rows(input.Start, inputStride ?? matrix.Columns), tokens, new Rows(output.Start, stride), before is not null);
        return [.. Enumerable.Range(0, tokens * rows).Select(i => output.Start[((long)(i / rows) * stride) + (i % rows)])];
    }
}
