using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Tests.Kernels;

public sealed unsafe class FloatProductTests
{
    public static TheoryData<KernelKind, string> Cases
    {
        get
        {
            TheoryData<KernelKind, string> cases = [];
            foreach (var kind in (KernelKind[])[IntegerKernels.Available[0], KernelKind.Portable])
            {
                cases.Add(kind, nameof(WeightFormat.Float32));
                cases.Add(kind, nameof(WeightFormat.BFloat16));
                cases.Add(kind, nameof(WeightFormat.Float16));
            }

            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Products_are_sums_in_the_order_of_the_columns_whatever_the_shape(KernelKind kind, string name)
    {
        var format = Enum.Parse<WeightFormat>(name);
        Random random = new(1);
        using WorkerPool pool = new(2);
        for (var i = 1; i <= 140; i++)
        {
            // Every number of tokens from 1 to 130, then more than are computed at once.
            var (rows, columns, tokens) = (random.Next(1, 100), random.Next(1, i % 4 == 0 ? 600 : 120), i <= 130 ? i : random.Next(190, 260));
            using PackedMatrix matrix = new(rows, columns, format);
            var (weights, x) = (Weights(random, rows * columns, format), Numbers.Extreme(random, tokens * columns));
            for (var row = 0; row < rows; row++)
            {
                matrix.SetRow(row, weights.AsSpan(row * columns, columns));
            }

            using var input = Numbers.Rows(x, tokens, columns, columns + 3);
            using NativeBuffer<float> output = new((long)tokens * Panel.Padded(rows));
            Rows to = new(output.Start, Panel.Padded(rows));
            var product = new MatrixProduct(IntegerKernels.Get(kind));
            using QuantizedRows unused = new(1, 1);
            product.Run(pool, matrix, unused, new Rows(input.Start, columns + 3), tokens, to, adds: false);
            product.Run(pool, matrix, unused, new Rows(input.Start, columns + 3), tokens, to, adds: true);
            for (var j = 0; j < tokens * rows; j++)
            {
                var sum = 0f;
                for (var block = 0; block < 2 * columns; block = NextBlock(block, columns, format))
                {
                    var total = 0f;
                    for (var k = block % columns; k < columns && k < (block % columns) + Panel.BlockColumns(format); k++)
                    {
                        total = MathF.FusedMultiplyAdd(matrix[j % rows, k], x[(j / rows * columns) + k], total);
                    }

                    sum = block == 0 ? total : total + sum;
                }

                Assert.Equal(sum, to.At(j / rows)[j % rows]);
            }
        }
    }

    /// <summary>Where the next block begins; behind the last column the product is made, and added, once more.</summary>
    private static int NextBlock(int block, int columns, WeightFormat format) => Math.Min(block + Panel.BlockColumns(format), block < columns ? columns : 2 * columns);

    /// <summary>Numbers that half precision has too, its denormals among them.</summary>
    private static float[] Weights(Random random, int count, WeightFormat format) =>
        [.. Numbers.Extreme(random, count).Select(value => format == WeightFormat.Float16 ? (float)BitConverter.UInt16BitsToHalf((ushort)(random.Next(2) << 15 | random.Next(0x7C00))) : value)];
}
