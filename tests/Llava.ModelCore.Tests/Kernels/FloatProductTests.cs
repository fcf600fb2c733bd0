using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Tests.Kernels;

public sealed unsafe class FloatProductTests
{
    [Theory]
    [InlineData("Float32")]
    [InlineData("BFloat16")]
    [InlineData("Float16")]
    public void Products_are_sums_in_the_order_of_the_columns_whatever_the_shape(string name)
    {
        var format = Enum.Parse<WeightFormat>(name);
        Random random = new(1);
        using WorkerPool pool = new(2);
        for (var i = 1; i <= 140; i++)
        {
            // Every number of tokens from 1 to 130, then more than are computed at once.
            var (rows, columns, tokens) = (random.Next(1, 100), random.Next(1, 120), i <= 130 ? i : random.Next(190, 260));
            using PackedMatrix matrix = new(rows, columns, format);
            var (weights, x) = (Weights(random, rows * columns, format), Numbers.Extreme(random, tokens * columns));
            for (var row = 0; row < rows; row++)
            {
                matrix.SetRow(row, weights.AsSpan(row * columns, columns));
            }

            using var input = Numbers.Rows(x, tokens, columns, columns + 3);
            using NativeBuffer<float> output = new((long)tokens * Panel.Padded(rows));
            Rows to = new(output.Start, Panel.Padded(rows));
            var product = new MatrixProduct(IntegerKernels.Get(KernelKind.Portable));
            using QuantizedRows unused = new(1, 1);
            product.Run(pool, matrix, unused, new Rows(input.Start, columns + 3), tokens, to, adds: false);
            product.Run(pool, matrix, unused, new Rows(input.Start, columns + 3), tokens, to, adds: true);
            for (var j = 0; j < tokens * rows; j++)
            {
                var sum = 0f;
                for (var k = 0; k < columns; k++)
                {
                    sum = MathF.FusedMultiplyAdd(matrix[j % rows, k], x[(j / rows * columns) + k], sum);
                }

                Assert.Equal(sum + sum, to.At(j / rows)[j % rows]);
            }
        }
    }

    /// <summary>Numbers that half precision has too, its denormals among them.</summary>
    private static float[] Weights(Random random, int count, WeightFormat format) =>
        [.. Numbers.Extreme(random, count).Select(value => format == WeightFormat.Float16 ? (float)BitConverter.UInt16BitsToHalf((ushort)(random.Next(2) << 15 | random.Next(0x7C00))) : value)];
}
