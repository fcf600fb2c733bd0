using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Quantization;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Training;

public sealed class SplitWeightsTests : IDisposable
{
    private readonly DisposeScope _scope;

    public SplitWeightsTests()
    {
        TorchLibrary.EnsureLoaded();
        _scope = NewDisposeScope();
    }

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Both_halves_together_are_the_number_to_the_bit_and_the_upper_is_the_nearest_bfloat16()
    {
        var random = new Random(3);
        float[] numbers = [0, -0f, 1, -1, float.Epsilon, -float.Epsilon, float.MaxValue, float.PositiveInfinity, BitConverter.UInt32BitsToSingle(0x3F808000), BitConverter.UInt32BitsToSingle(0xBF817FFF),
            .. Enumerable.Range(0, 10_000).Select(_ => BitConverter.UInt32BitsToSingle((uint)random.NextInt64(1L << 32))).Where(float.IsFinite)];
        var whole = tensor(numbers);
        var (high, low) = (empty_like(whole, ScalarType.BFloat16), empty_like(whole, ScalarType.Int16));

        SplitFloat.Split(whole, high, low);

        Assert.Equal(numbers.Select(BitConverter.SingleToUInt32Bits), SplitFloat.Join(high, low).data<float>().Select(BitConverter.SingleToUInt32Bits));
        // But where it is half way between two: there it is the one further from zero.
        var nearest = whole.to(ScalarType.BFloat16).to(ScalarType.Float32).data<float>().ToArray();
        var upper = high.to(ScalarType.Float32).data<float>().ToArray();
        Assert.All(numbers.Index(), number => Assert.True(
            nearest[number.Index].Equals(upper[number.Index]) || (ushort)BitConverter.SingleToUInt32Bits(number.Item) == 0x8000, $"{number.Item:R}"));
    }

    [Theory]
    [InlineData(OptimizerKind.Adamw)]
    [InlineData(OptimizerKind.Adamw8bit)]
    public void Halves_follow_their_gradients_to_the_very_bits_of_float32(OptimizerKind kind)
    {
        var whole = nn.Parameter(randn(80, 64));
        var (high, low) = (nn.Parameter(empty_like(whole, ScalarType.BFloat16)), empty_like(whole, ScalarType.Int16));
        using var noGrad = no_grad();
        SplitFloat.Split(whole, high, low);
        TrainableParameter halves = new("w", high) { Low = low };
        using var expected = Optimizer.For([new([new("w", whole)], 1e-3, 0.1)], kind);
        using var actual = Optimizer.For([new([halves], 1e-3, 0.1)], kind);

        for (var step = 0; step < 5; step++)
        {
            high.grad = randn(80, 64).to(ScalarType.BFloat16);
            whole.grad = high.grad.to(ScalarType.Float32);
            Assert.Equal(expected.GradientNorm(), actual.GradientNorm());
            expected.Step(1);
            actual.Step(1);
        }

        Assert.Equal(whole.bytes.ToArray(), halves.Whole().bytes.ToArray());
    }

    [Fact]
    public void A_model_in_halves_learns_and_gives_nothing_away_but_where_it_was_half_way()
    {
        var recipe = TinyModel.Recipe with { Precision = TrainingPrecision.Bf16 };
        using LlavaModel one = TinyModel.Create(), other = TinyModel.Create();
        using Trainer expected = new(one, recipe, steps: 9), actual = new(other, recipe with { SplitWeights = true }, steps: 9);
        Assert.Equal(7 * 2 + 1, actual.Gradients.Parameters.Count(parameter => parameter.Low is not null));

        foreach (var step in Enumerable.Range(0, 3))
        {
            TrainingBatch[] batches = [TinyModel.Batch(1, (9, true), (12, false)), TinyModel.Batch(2, (7, true))];
            var (whole, halves) = (expected.Step(batches).Losses[0].Value, actual.Step(batches).Losses[0].Value);
            Assert.Equal(whole, halves, 0.02 * whole);
        }
    }
}
