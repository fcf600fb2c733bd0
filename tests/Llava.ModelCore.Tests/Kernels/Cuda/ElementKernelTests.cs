using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Cuda;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

public sealed class ElementKernelTests : IDisposable
{
    private const float Epsilon = 1e-5f;

    private readonly EmulatedDevice _device = new();
    private readonly FreshNumbers _numbers = new();

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(1, 8)]
    [InlineData(3, 40)]
    [InlineData(2, 2048)]
    [InlineData(1, 5128)]
    public void The_sum_is_kept_and_its_norm_is_given(int rows, int columns)
    {
        foreach (var make in (Func<int, float[]>[])[_numbers.Ordinary, _numbers.Extreme])
        {
            float[] residual = make(rows * columns), delta = make(rows * columns), weight = _numbers.Ordinary(columns);
            var sums = residual.Zip(delta, (a, b) => DeviceNumbers.Rounded(a + b)).ToArray();
            Norm(residual, delta, weight, sums, rows, columns);
            Norm(residual, null, weight, residual, rows, columns);
        }
    }

    [Fact]
    public void Zeros_stay_zeros_and_a_number_that_is_none_spoils_its_own_row_only()
    {
        float[] residual = [.. new float[16], float.NaN, .. new float[15]], weight = _numbers.Ordinary(16);
        using var memory = DeviceNumbers.Half(residual);
        using var weights = DeviceNumbers.Half(weight);
        using DeviceMemory<ushort> output = new(32);
        ElementKernels.AddRmsNorm(_device.Kernels, memory, 0, weights, output, 2, 16, Epsilon);
        DeviceNumbers.AssertClose([.. new double[16], .. Enumerable.Repeat(double.NaN, 16)], output.Span, "norm");
    }

    [Theory]
    [InlineData(1, 8)]
    [InlineData(5, 24)]
    [InlineData(2, 4104)]
    public void The_gate_opens_for_the_other_half(int rows, int columns)
    {
        var merged = _numbers.Ordinary(rows * 2 * columns).Select(value => DeviceNumbers.Rounded(value * 10)).ToArray();
        // Far out, e⁻ˣ overflows or vanishes.
        (merged[0], merged[1], merged[2]) = (-200, 200, float.NegativeInfinity);
        using var input = DeviceNumbers.Half(merged);
        using DeviceMemory<ushort> output = new(rows * columns);
        _device.InEveryOrder(() => ElementKernels.GatedActivation(_device.Kernels, input, output, rows, columns), output);
        var expected = from row in Enumerable.Range(0, rows)
                       from column in Enumerable.Range(0, columns)
                       let gate = (double)merged[(row * 2 * columns) + column]
                       select gate / (1 + Math.Exp(-gate)) * merged[(row * 2 * columns) + columns + column];
        DeviceNumbers.AssertClose([.. expected], output.Span, $"{_numbers}", smallest: 1e-20);
    }

    [Theory]
    [InlineData(1, 8)]
    [InlineData(5, 24)]
    [InlineData(3, 4104)]
    public void Rows_are_lines_of_the_table_and_tokens_that_the_device_alone_knows_count_as_lines(int rows, int columns)
    {
        const int Lines = 7;
        using var table = DeviceNumbers.Half(_numbers.Ordinary(Lines * columns));
        int[] indices = [.. Enumerable.Range(0, rows).Select(_ => _numbers.Random.Next(Lines))], tokens = [3, -1, 6];
        // Every second row asks for a token, and the one that nobody could choose is among them.
        int[] places = [.. Enumerable.Range(0, rows).Select(row => row % 2 == 0 ? -1 : row / 2 % tokens.Length)];
        using DeviceMemory<int> indexMemory = new(indices), placeMemory = new(places), tokenMemory = new(tokens);
        using DeviceMemory<ushort> output = new(rows * columns);
        _device.InEveryOrder(() => ElementKernels.GatherRows(_device.Kernels, table, indexMemory, placeMemory, tokenMemory, output, rows, columns), output);
        AssertLines([.. Enumerable.Range(0, rows).Select(row => places[row] < 0 ? indices[row] : Math.Max(0, tokens[places[row]]))]);
        ElementKernels.GatherRows(_device.Kernels, table, indexMemory, 0, 0, output, rows, columns);
        AssertLines(indices);

        void AssertLines(int[] lines) => Assert.Equal(lines.SelectMany(line => table.Span.Slice(line * columns, columns).ToArray()), output.ToArray());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2048)]
    [InlineData(5003)]
    public void Numbers_are_the_same_when_they_are_wider(int count)
    {
        using var numbers = DeviceNumbers.Half(_numbers.Extreme(count));
        using DeviceMemory<float> output = new(count);
        _device.InEveryOrder(() => ElementKernels.Widen(_device.Kernels, numbers, output, count), output);
        Assert.Equal(numbers.ToArray().Select(BFloat16Bits.ToSingle), output.ToArray());
    }

    [Fact]
    public void Columns_that_are_no_whole_vectors_are_refused_and_no_rows_do_nothing()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => ElementKernels.GatedActivation(_device.Kernels, 0, 0, 1, 12));
        Assert.Throws<ArgumentOutOfRangeException>(() => ElementKernels.AddRmsNorm(_device.Kernels, 0, 0, 0, 0, 1, 12, Epsilon));
        ElementKernels.GatedActivation(_device.Kernels, 0, 0, 0, 16);
    }

    private void Norm(float[] residual, float[]? delta, float[] weight, float[] sums, int rows, int columns)
    {
        using var memory = DeviceNumbers.Half(residual);
        using var change = DeviceNumbers.Half(delta ?? []);
        using var weights = DeviceNumbers.Half(weight);
        using DeviceMemory<ushort> output = new(rows * columns);
        var start = memory.ToArray();
        _device.InEveryOrder(
            () =>
            {
                start.CopyTo(memory.Span);
                ElementKernels.AddRmsNorm(_device.Kernels, memory, delta is null ? 0 : change, weights, output, rows, columns, Epsilon);
                memory.ThrowIfTouchedOutside();
            },
            output);
        DeviceNumbers.AssertClose([.. sums.Select(sum => (double)sum)], memory.Span, $"sum, {_numbers}");
        var expected = sums.Chunk(columns).SelectMany(row =>
        {
            var scale = 1 / Math.Sqrt(row.Average(x => (double)x * x) + Epsilon);
            return row.Zip(weight, (x, factor) => x * scale * factor);
        });
        DeviceNumbers.AssertClose([.. expected], output.Span, $"norm, {_numbers}");
    }
}
