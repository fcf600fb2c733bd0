using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Tests.Kernels;

/// <summary>Every kernel that this machine can run, against the scalar definition, bit by bit.</summary>
public sealed unsafe class IntegerProductTests
{
    public static TheoryData<KernelKind, string> Cases
    {
        get
        {
            TheoryData<KernelKind, string> cases = [];
            foreach (var kind in IntegerKernels.Available)
            {
                cases.Add(kind, nameof(WeightFormat.Int8));
                cases.Add(kind, nameof(WeightFormat.Int4));
                cases.Add(kind, nameof(WeightFormat.Int16));
            }

            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Random_shapes_give_the_bits_of_the_definition(KernelKind kind, string format)
    {
        Random random = new(2);
        for (var i = 0; i < 30; i++)
        {
            RequireEqual(kind, Enum.Parse<WeightFormat>(format), random, random.Next(1, 140), random.Next(1, i % 5 == 0 ? 1400 : 300), random.Next(1, 20), Numbers.Ordinary);
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Every_number_of_tokens_from_1_to_130_does(KernelKind kind, string format)
    {
        Random random = new(3);
        for (var tokens = 1; tokens <= 130; tokens++)
        {
            RequireEqual(kind, Enum.Parse<WeightFormat>(format), random, 33, 70, tokens, Numbers.Ordinary);
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Denormals_zeros_and_huge_numbers_do(KernelKind kind, string format)
    {
        Random random = new(4);
        for (var i = 0; i < 20; i++)
        {
            RequireEqual(kind, Enum.Parse<WeightFormat>(format), random, random.Next(1, 70), random.Next(1, 200), random.Next(1, 9), Numbers.Extreme);
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void The_largest_integers_do_not_overflow(KernelKind kind, string format)
    {
        // Every product is ±127·127, ±8·127 or ±8127·8191, all of one sign: where instructions for bytes would saturate.
        static float[] Largest(Random random, int count) => [.. Enumerable.Repeat(-1f, count)];
        RequireEqual(kind, Enum.Parse<WeightFormat>(format), new Random(5), 64, 2048, 7, Largest);
    }

    [Theory, MemberData(nameof(Cases))]
    public void Products_are_added_to_what_is_there(KernelKind kind, string format)
    {
        const int Rows = 70, Columns = 100, Tokens = 11;
        Random random = new(6);
        var (weights, x, before) = (Numbers.Ordinary(random, Rows * Columns), Numbers.Ordinary(random, Tokens * Columns), Numbers.Ordinary(random, Tokens * Rows));
        var product = ScalarProduct.Of(weights, x, Rows, Columns, Tokens, Enum.Parse<WeightFormat>(format));
        var sums = Multiply(kind, Enum.Parse<WeightFormat>(format), weights, x, Rows, Columns, Tokens, before);
        Assert.Equal(product.Zip(before, (a, b) => b + a), sums);
    }

    [Theory, MemberData(nameof(Cases))]
    public void A_token_that_is_no_number_makes_its_own_row_nan_and_no_other(KernelKind kind, string format)
    {
        const int Rows = 40, Columns = 64, Tokens = 9;
        Random random = new(7);
        var (weights, x) = (Numbers.Ordinary(random, Rows * Columns), Numbers.Ordinary(random, Tokens * Columns));
        var expected = ScalarProduct.Of(weights, x, Rows, Columns, Tokens, Enum.Parse<WeightFormat>(format));
        x[(4 * Columns) + 50] = float.NaN;
        x[(6 * Columns) + 3] = float.PositiveInfinity;
        var actual = Multiply(kind, Enum.Parse<WeightFormat>(format), weights, x, Rows, Columns, Tokens, null);
        for (var i = 0; i < actual.Length; i++)
        {
            Assert.Equal(i / Rows is 4 or 6 ? float.NaN : expected[i], actual[i]);
        }
    }

    [Fact]
    public void A_kernel_that_cannot_run_here_is_refused_with_those_that_can()
    {
        Assert.Contains(KernelKind.Portable, IntegerKernels.Available);
        Assert.Equal(IntegerKernels.Available[0], IntegerKernels.Get(KernelKind.Auto).Kind);
        foreach (var kind in Enum.GetValues<KernelKind>().Except([KernelKind.Auto, .. IntegerKernels.Available]))
        {
            Assert.Contains(nameof(KernelKind.Portable), Assert.Throws<KernelUnavailableException>(() => IntegerKernels.Get(kind)).Message, StringComparison.Ordinal);
        }
    }

    private static void RequireEqual(KernelKind kind, WeightFormat format, Random random, int rows, int columns, int tokens, Func<Random, int, float[]> numbers)
    {
        var (weights, x) = (numbers(random, rows * columns), numbers(random, tokens * columns));
        var expected = ScalarProduct.Of(weights, x, rows, columns, tokens, format);
        var actual = Multiply(kind, format, weights, x, rows, columns, tokens, null);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.True(expected[i] == actual[i], $"({rows}, {columns}) with {tokens} tokens: token {i / rows}, row {i % rows} is {actual[i]:R} instead of {expected[i]:R}");
        }
    }

    private static float[] Multiply(KernelKind kind, WeightFormat format, float[] weights, float[] x, int rows, int columns, int tokens, float[]? before)
    {
        using WorkerPool pool = new(2);
        using PackedMatrix matrix = new(rows, columns, format);
        for (var row = 0; row < rows; row++)
        {
            matrix.SetRow(row, weights.AsSpan(row * columns, columns));
        }

        var stride = Panel.Padded(rows) + 32;
        using var input = Numbers.Rows(x, tokens, columns, columns + 5);
        using var output = before is null ? new NativeBuffer<float>((long)tokens * stride) : Numbers.Rows(before, tokens, rows, stride);
        using QuantizedRows integers = new(tokens, columns, format);
        for (var token = 0; token < tokens; token++)
        {
            integers.Set(token, tokens, input.Start + ((long)token * (columns + 5)), columns, format);
        }

        new MatrixProduct(IntegerKernels.Get(kind)).Run(pool, matrix, integers, default, tokens, new Rows(output.Start, stride), before is not null);
        return [.. Enumerable.Range(0, tokens * rows).Select(i => output.Start[((long)(i / rows) * stride) + (i % rows)])];
    }
}
