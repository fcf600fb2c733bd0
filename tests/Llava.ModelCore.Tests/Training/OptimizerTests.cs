using Llava.ModelCore.Native;
using Llava.ModelCore.Training.Optimizers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Training;

/// <summary>Optimizers that remember less than AdamW.</summary>
public sealed class OptimizerTests : IDisposable
{
    private const double Rate = 0.05;

    private readonly DisposeScope _scope;

    public OptimizerTests()
    {
        TorchLibrary.EnsureLoaded();
        _scope = NewDisposeScope();
    }

    public static TheoryData<OptimizerKind> Kinds => [.. Enum.GetValues<OptimizerKind>()];

    public void Dispose() => _scope.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void It_walks_down_to_the_target(OptimizerKind kind)
    {
        var (weight, target) = (Weight(0), Values(1));
        using var optimizer = Make(kind, weight);
        var before = Distance();

        for (var step = 0; step < 150; step++)
        {
            Descend(optimizer, weight, target);
        }

        Assert.True(Distance() < 0.05 * before, $"from {before} to {Distance()}");

        double Distance() => Difference(weight, target).norm().item<float>();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void It_goes_on_from_its_state_to_the_very_same_weights(OptimizerKind kind)
    {
        var (first, target) = (Weight(0), Values(1));
        using var whole = Make(kind, first);
        Enumerable.Range(0, 5).ToList().ForEach(_ => Descend(whole, first, target));
        var saved = whole.State.ToDictionary(state => state.Name, state => state.Value.clone());
        var second = nn.Parameter(first.detach().clone());
        using var resumed = Make(kind, second);
        resumed.Restore(whole.Steps, name => saved[name]);

        for (var step = 0; step < 5; step++)
        {
            Descend(whole, first, target);
            Descend(resumed, second, target);
        }

        Assert.Equal(first.bytes.ToArray(), second.bytes.ToArray());
    }

    [Fact]
    public void Eight_bit_moments_take_a_quarter_and_follow_float32_closely()
    {
        var (exact, coded, target) = (Weight(0), Weight(0), Values(1));
        using var whole = Make(OptimizerKind.Adamw, exact);
        using var eight = Make(OptimizerKind.Adamw8bit, coded);

        for (var step = 0; step < 50; step++)
        {
            Descend(whole, exact, target);
            Descend(eight, coded, target);
        }

        var moved = Difference(exact, Values(0)).norm().item<float>();
        Assert.InRange(Difference(exact, coded).norm().item<float>() / moved, 1e-6, 0.05);
        Assert.InRange((double)Bytes(eight) / Bytes(whole), 0.25, 0.27);
    }

    [Fact]
    public void The_embedding_table_and_small_parameters_keep_float32_moments()
    {
        using var optimizer = Optimizer.For(
            [new([new("language_model.embed_tokens.weight", Weight(0)), new("language_model.norm.weight", nn.Parameter(zeros(64)))], Rate, 0)], OptimizerKind.Adamw8bit);

        Assert.All(optimizer.State, state => Assert.Equal(ScalarType.Float32, state.Value.dtype));
    }

    [Fact]
    public void A_gradient_of_rank_one_moves_every_weight_of_a_matrix_by_the_rate_in_Adafactors_first_step()
    {
        var weight = nn.Parameter(zeros(3, 2));
        using var optimizer = Make(OptimizerKind.Adafactor, weight);
        weight.grad = outer(tensor([1f, -2f, 30f]), tensor([0.5f, 4f]));

        optimizer.Step(1);

        Assert.Equal([-Rate, -Rate, Rate, Rate, -Rate, -Rate], weight.data<float>().Select(x => (double)x), (a, b) => Math.Abs(a - b) < 1e-7);
    }

    private static Optimizer Make(OptimizerKind kind, Parameter weight) => Optimizer.For([new([new("w", weight)], Rate, 0)], kind);

    private static long Bytes(Optimizer optimizer) => optimizer.State.Sum(state => state.Value.numel() * state.Value.element_size());

    private static Tensor Values(int seed) => randn([80, 64], generator: new Generator((ulong)seed));

    private static Parameter Weight(int seed) => nn.Parameter(Values(seed));

    private static Tensor Difference(Tensor one, Tensor other) => one.detach().add(other.detach(), Scalars.Of(-1));

    private static void Descend(Optimizer optimizer, Parameter weight, Tensor target)
    {
        using var scope = NewDisposeScope();
        weight.grad = Difference(weight, target);
        optimizer.Step(1);
    }
}
