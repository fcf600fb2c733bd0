using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native.Cuda;
using Llava.ModelCore.Quantization;
using TorchSharp;

namespace Llava.ModelCore.Tests.Engine.Cuda;

/// <summary>Passes that are padded, laid out once and done again, on the device that the processor plays.</summary>
public sealed class StepGraphTests : IDisposable
{
    private readonly Random _random = new(3);
    private readonly LlavaModel _model = CudaRunnerTests.Rounded(CudaRunnerTests.Config());

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData(1, 16, 1)]
    [InlineData(3, 16, 4)]
    [InlineData(9, 16, 16)]
    [InlineData(17, 64, 32)]
    [InlineData(33, 64, 48)]
    [InlineData(5, 6, 6)]
    [InlineData(33, 40, 40)]
    public void Sizes_are_few_and_never_more_than_there_may_be(int rows, int most, int size) => Assert.Equal(size, StepGraphs.SizeFor(rows, most));

    [Theory]
    [InlineData(1, 4096, 256)]
    [InlineData(256, 4096, 256)]
    [InlineData(257, 4096, 512)]
    [InlineData(1100, 4096, 2048)]
    [InlineData(1100, 1200, 1200)]
    public void Lengths_are_rounded_up_within_what_there_is_memory_for(int longest, int most, int reach) => Assert.Equal(reach, DecodeAttention.Reach(longest, most));

    [Fact]
    public void Steps_are_recorded_once_for_a_shape_and_say_what_they_would_have_said_without()
    {
        List<Counted> recorded = [];
        using var graphs = Harness(Options(), work =>
        {
            recorded.Add(new(work));
            return recorded[^1];
        });
        using var plain = Harness(Options(graphRows: 0));
        var requests = Requests(6);
        var (first, second) = (requests.Select(graphs.Submit).ToArray(), requests.Select(plain.Submit).ToArray());
        graphs.RunToTheEnd();
        plain.RunToTheEnd();
        Assert.All(first.Zip(second), pair => CudaRunnerTests.AssertSameText(plain, pair.Second, graphs, pair.First));
        // Four at once, then two, of lengths that are one launch's.
        Assert.Equal(2, recorded.Count);
        Assert.All(recorded, graph => Assert.InRange(graph.Launches, 1, int.MaxValue));
        Assert.Null(graphs.Statistics.Notice);
        graphs.Dispose();
        Assert.All(recorded, graph => Assert.True(graph.IsGone));
    }

    [Fact]
    public void What_is_recorded_makes_no_tensor()
    {
        var made = -1L;
        using var device = Harness(Options(), work =>
        {
            var before = Made();
            work();
            made = Made() - before;
            return new EmulatedSession.Repeated(work);
        });
        device.Run(Requests(1)[0]);
        Assert.Equal(0, made);

        static long Made() => DisposeScopeManager.Statistics.TensorStatistics is var made ? made.CreatedInScopeCount + made.CreatedOutsideScopeCount : 0;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Where_nothing_can_be_recorded_or_launched_steps_run_as_before_and_the_reason_is_told(bool isRecorded)
    {
        var tries = 0;
        CudaException failure = new("Cannot record a graph.");
        using var device = Harness(Options(), _ =>
        {
            tries++;
            return isRecorded ? new EmulatedSession.Repeated(() => throw failure) : throw failure;
        });
        using var plain = Harness(Options(graphRows: 0));
        var requests = Requests(5);
        var (first, second) = (requests.Select(device.Submit).ToArray(), requests.Select(plain.Submit).ToArray());
        device.RunToTheEnd();
        plain.RunToTheEnd();
        Assert.All(first.Zip(second), pair => CudaRunnerTests.AssertSameText(plain, pair.Second, device, pair.First));
        Assert.Equal((1, "Steps of a few rows are launched piece by piece instead of as a graph: Cannot record a graph."), (tries, device.Statistics.Notice));
        Assert.Null(plain.Statistics.Notice);
    }

    [Theory]
    [InlineData(false, true, true)]
    [InlineData(true, false, true)]
    [InlineData(true, true, false)]
    public void Steps_with_torchs_operations_between_the_products_are_not_recorded(bool elements, bool rotary, bool attention)
    {
        var options = Options();
        (options.Cuda.FusedElements, options.Cuda.FusedRotary, options.Cuda.DecodeAttention) = (elements, rotary, attention);
        using var device = Harness(options, _ => throw new InvalidOperationException("This allocates."));
        Assert.Null(EngineHarness.Result(device.Run(Requests(1)[0])).Error);
        Assert.Null(device.Statistics.Notice);
    }

    [Fact]
    public void Steps_with_products_in_eight_bits_are_not_recorded()
    {
        var options = Options();
        options.Quantize = QuantizationScheme.Fp8;
        using var device = Harness(options, _ => throw new InvalidOperationException("This allocates."));
        Assert.Null(EngineHarness.Result(device.Run(Requests(1)[0])).Error);
        Assert.Null(device.Statistics.Notice);
    }

    private static EngineOptions Options(int graphRows = 4) => new()
    {
        Runner = RunnerKind.Cuda,
        KvPositions = 1024,
        MaxSlots = 4,
        Cuda = new() { GraphRows = graphRows, PrefillTokens = 256, DeviceSampling = false },
    };

    private EngineHarness Harness(EngineOptions options, Func<Action, ICapturedWork>? record = null) =>
        new(_model, options, EmulatedSession.Open(0, record ?? (_ => throw new InvalidOperationException("Nothing is to be recorded."))));

    private SequenceRequest[] Requests(int count) => [.. Enumerable.Range(0, count).Select(i => Tests.Engine.Requests.Text(_random, 5 + i, 6))];

    private sealed class Counted(Action work) : ICapturedWork
    {
        public int Launches { get; private set; }

        public bool IsGone { get; private set; }

        public void Launch(nint stream)
        {
            Launches++;
            work();
        }

        public void Dispose() => IsGone = true;
    }
}
