using Llava.ModelCore.Evaluation.Speed;

namespace Llava.ModelCore.Tests.Evaluation;

public sealed class EngineBenchmarkTests
{
    [Fact]
    public void Every_case_is_measured_beside_the_reference_and_decoding_allocates_nothing()
    {
        EngineBenchmark bench = new(new() { Shape = "tiny", Batches = [1, 5], PrefillTokens = 40, Context = 50, Rounds = 3, Threads = 2 });

        var figures = bench.Run().ToList();

        Assert.Equal(["none", "int8", "int4"], figures.Select(figure => figure.Scheme).Distinct());
        Assert.Equal(["prefill 40", "decode 1", "decode 5"], figures.Select(figure => $"{figure.Phase} {figure.Batch}").Distinct());
        Assert.All(figures, figure => Assert.True(figure is { TokensPerSecond: > 0, Ratio: > 0 }, $"{figure}"));
        Assert.All(figures.Where(figure => figure.Phase == "decode"), figure => Assert.Equal(0, figure.AllocatedBytesPerStep));
        Assert.All(figures.Where(figure => figure.ShareOfRoofline is not null), figure => Assert.NotEqual("none", figure.Scheme));
    }

    [Fact]
    public void The_machines_limits_are_those_of_a_machine()
    {
        var limits = MachineLimits.Measure(1);
        Assert.InRange(limits.BytesPerSecond, 1e8, 1e13);
        Assert.True(limits.ProductsPerSecond is null or > 1e9);
    }
}
