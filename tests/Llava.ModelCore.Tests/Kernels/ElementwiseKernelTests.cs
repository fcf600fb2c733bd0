using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels;

namespace Llava.ModelCore.Tests.Kernels;

/// <summary>Normalization, rotation and activation against double precision.</summary>
public sealed unsafe class ElementwiseKernelTests
{
    private readonly Random _random = new(1);

    [Fact]
    public void A_norm_divides_by_the_root_of_the_mean_square()
    {
        foreach (var size in (int[])[1, 15, 16, 17, 48, 255, 688, 2048])
        {
            var (x, w) = (Numbers.Ordinary(_random, size), Numbers.Ordinary(_random, size));
            using var input = Numbers.Rows(x, 1, size, size);
            using var weight = Numbers.Rows(w, 1, size, size);
            using NativeBuffer<float> output = new(size);
            Normalization.Rms(input.Start, weight.Start, 1e-5f, size, output.Start);
            var root = Math.Sqrt((x.Sum(v => (double)v * v) / size) + 1e-5);
            for (var i = 0; i < size; i++)
            {
                Assert.Equal(x[i] * w[i] / root, output.Start[i], 1e-5);
            }
        }
    }

    [Fact]
    public void A_gate_is_silu_times_up_and_stays_finite_at_the_extremes()
    {
        float[] gate = [.. Numbers.Ordinary(_random, 41), 0, -0f, 1e-40f, 30, -30, 87, -87, 88.5f, -88.5f, 100, -100, 1e30f, -1e30f];
        var up = Numbers.Ordinary(_random, gate.Length);
        using var gates = Numbers.Rows(gate, 1, gate.Length, 64);
        using var ups = Numbers.Rows(up, 1, up.Length, 64);
        GatedActivation.SwiGlu(gates.Start, ups.Start, gate.Length);
        for (var i = 0; i < gate.Length; i++)
        {
            var expected = gate[i] / (1 + Math.Exp(-(double)gate[i])) * up[i];
            Assert.InRange(gates.Start[i], expected - Math.Max(1e-30, Math.Abs(expected) * 1e-5), expected + Math.Max(1e-30, Math.Abs(expected) * 1e-5));
        }
    }

    [Fact]
    public void A_layer_norm_takes_the_mean_off_first()
    {
        foreach (var size in (int[])[1, 15, 16, 17, 48, 255, 688, 2048])
        {
            // Far from zero, where the mean matters.
            float[] x = [.. Numbers.Ordinary(_random, size).Select(value => value + 20)];
            var w = Numbers.Ordinary(_random, size);
            using var input = Numbers.Rows(x, 1, size, size);
            using var weight = Numbers.Rows(w, 1, size, size);
            using NativeBuffer<float> output = new(size);
            Normalization.Layer(input.Start, weight.Start, 1e-5f, size, output.Start);
            var mean = x.Average(value => (double)value);
            var root = Math.Sqrt(x.Average(value => Math.Pow(value - mean, 2)) + 1e-5);
            for (var i = 0; i < size; i++)
            {
                Assert.Equal((x[i] - mean) * w[i] / root, output.Start[i], 1e-4);
            }
        }
    }

    [Fact]
    public void Norms_of_denormals_and_of_zeros_are_finite_and_of_huge_numbers_right()
    {
        foreach (var (value, expected) in ((float, double)[])[(0f, 0), (1e-40f, 1e-40 / Math.Sqrt(1e-5)), (float.Epsilon, 0), (1e15f, 1), (-1e18f, -1)])
        {
            using var input = Numbers.Rows([.. Enumerable.Repeat(value, 37)], 1, 37, 37);
            using var weight = Numbers.Rows([.. Enumerable.Repeat(1f, 37)], 1, 37, 37);
            using NativeBuffer<float> output = new(37);
            Normalization.Rms(input.Start, weight.Start, 1e-5f, 37, output.Start);
            Assert.All(new ReadOnlySpan<float>(output.Start, 37).ToArray(), number => Assert.Equal(expected, number, Math.Max(1e-42, Math.Abs(expected) * 1e-5)));
            Normalization.Layer(input.Start, weight.Start, 1e-5f, 37, output.Start);
            Assert.All(new ReadOnlySpan<float>(output.Start, 37).ToArray(), number => Assert.True(float.IsFinite(number)));
        }
    }

    [Fact]
    public void Gelu_is_x_times_the_normal_distribution_at_every_size()
    {
        float[] x = [.. Enumerable.Range(-400, 801).Select(i => i / 40f), .. Numbers.Ordinary(_random, 41), 0, -0f, 1e-40f, -1e-40f, 13, -13, 1e30f, -1e30f];
        using var values = Numbers.Rows(x, 1, x.Length, x.Length + 16);
        Gelu.Run(values.Start, x.Length);
        for (var i = 0; i < x.Length; i++)
        {
            var expected = x[i] * NormalDistribution(x[i]);
            // The exponential takes the rounding of x² along.
            var tolerance = Math.Max(1e-37, Math.Abs(expected) * (1e-6 + (1e-7 * Math.Min(400, (double)x[i] * x[i]))));
            Assert.InRange(values.Start[i], expected - tolerance, expected + tolerance);
        }
    }

    /// <summary>Φ by its series near zero and by its continued fraction in the tails.</summary>
    private static double NormalDistribution(double x)
    {
        var density = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
        if (Math.Abs(x) < 3)
        {
            var (term, sum) = (x, x);
            for (var n = 1; n < 100; n++)
            {
                term *= x * x / ((2 * n) + 1);
                sum += term;
            }

            return 0.5 + (density * sum);
        }

        var fraction = Math.Abs(x);
        for (var n = 200; n > 0; n--)
        {
            fraction = Math.Abs(x) + (n / fraction);
        }

        return x < 0 ? density / fraction : 1 - (density / fraction);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(64)]
    [InlineData(80)]
    [InlineData(128)]
    public void A_head_is_rotated_by_its_position(int size)
    {
        RotaryAngles angles = new(Config(size, null));
        using NativeBuffer<float> cosines = new(size), sines = new(size);
        foreach (var position in (int[])[0, 1, 7, 600, 2047])
        {
            var head = Numbers.Ordinary(_random, size);
            using var rotated = Numbers.Rows(head, 1, size, size);
            angles.At(position, 0, cosines.Start, sines.Start);
            RotaryAngles.Rotate(rotated.Start, cosines.Start, sines.Start, size / 2);
            for (var i = 0; i < size / 2; i++)
            {
                // The reference rounds the angle to float32.
                var angle = (double)(position * (float)Math.Pow(10_000, -2.0 * i / size));
                Assert.Equal((head[i] * Math.Cos(angle)) - (head[i + (size / 2)] * Math.Sin(angle)), rotated.Start[i], 1e-6);
                Assert.Equal((head[i + (size / 2)] * Math.Cos(angle)) + (head[i] * Math.Sin(angle)), rotated.Start[i + (size / 2)], 1e-6);
            }
        }
    }

    [Fact]
    public void Linear_scaling_divides_positions_and_dynamic_scaling_raises_the_base_of_long_sequences()
    {
        using NativeBuffer<float> cosines = new(8), sines = new(8), others = new(8);
        new RotaryAngles(Config(8, new RopeScaling(RopeScalingKind.Linear, 4))).At(40, 0, cosines.Start, sines.Start);
        new RotaryAngles(Config(8, null)).At(10, 0, others.Start, sines.Start);
        Assert.Equal(new ReadOnlySpan<float>(others.Start, 4), new ReadOnlySpan<float>(cosines.Start, 4));

        RotaryAngles dynamic = new(Config(8, new RopeScaling(RopeScalingKind.Dynamic, 4)));
        dynamic.At(10, 0, cosines.Start, sines.Start);
        Assert.Equal(new ReadOnlySpan<float>(others.Start, 4), new ReadOnlySpan<float>(cosines.Start, 4));
        dynamic.At(10, 4096, cosines.Start, sines.Start);
        var theta = 10_000 * Math.Pow((4.0 * 4096 / 2048) - 3, 8 / 6.0);
        Assert.Equal(Math.Cos(10 * Math.Pow(theta, -0.25)), cosines.Start[1], 1e-6);
    }

    private static LanguageModelConfig Config(int size, RopeScaling? scaling) => new()
    {
        VocabularySize = 1,
        HiddenSize = size,
        IntermediateSize = 1,
        Layers = 1,
        Heads = 1,
        KeyValueHeads = 1,
        MaxPositions = 2048,
        RopeScaling = scaling,
    };
}
