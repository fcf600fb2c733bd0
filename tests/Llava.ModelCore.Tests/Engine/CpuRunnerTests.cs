using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Quantization;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>Our own kernels with the weights as they are: everything that the reference is held to.</summary>
public sealed class CpuRunnerTests : RunnerTests
{
    [Fact]
    public void A_decoding_step_takes_less_than_a_kilobyte_of_managed_memory() => Assert.InRange(BytesOfDecodingStep(8), 0, 1023);

    private protected override void Choose(EngineOptions options) => (options.Runner, options.Threads) = (RunnerKind.Cpu, 2);
}

/// <summary>Our own kernels on MPT: linear biases of heads that are no power of two, clipped queries, keys and values, scales of its own.</summary>
public sealed class MptRunnerTests() : RunnerTests(Config)
{
    private static LlavaConfig Config => Requests.Config() with
    {
        LanguageModel = Requests.Config().LanguageModel with
        {
            KeyValueHeads = 6,
            TieEmbeddings = true,
            NormEpsilon = 1e-5,
            Mpt = new MptSettings { ClipQkv = 1.5, SoftmaxScale = 0.3, LogitScale = 0.7 },
        },
    };

    private protected override void Choose(EngineOptions options) => (options.Runner, options.Threads) = (RunnerKind.Cpu, 2);
}

/// <summary>The same with quantized weights, which give other answers, but the same ones in any company and on every kernel.</summary>
public sealed class QuantizedRunnerTests : IDisposable
{
    private readonly Random _random = new(1);
    private readonly ModelCore.Models.LlavaModel _model = RandomModel.Create(Requests.Config());

    public void Dispose() => _model.Dispose();

    public static TheoryData<QuantizationScheme, KernelKind> Cases
    {
        get
        {
            TheoryData<QuantizationScheme, KernelKind> cases = [];
            foreach (var kernel in IntegerKernels.Available)
            {
                cases.Add(QuantizationScheme.Int8, kernel);
                cases.Add(QuantizationScheme.Int4, kernel);
                cases.Add(QuantizationScheme.LlmInt8, kernel);
            }

            cases.Add(QuantizationScheme.Nf4, IntegerKernels.Available[0]);

            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Logits_are_the_same_bits_alone_and_in_any_batch_on_every_kernel(QuantizationScheme scheme, KernelKind kernel)
    {
        var picture = Requests.Picture(_random);
        SequenceRequest[] requests =
        [
            .. Enumerable.Range(1, 9).Select(i => Requests.Text(_random, 7 * i, 12)),
            .. Enumerable.Range(0, 4).Select(i => Requests.Question(_random, picture, 5 + i, 12)),
            Requests.Text(_random, 300, 8),
        ];
        using var reference = Harness(scheme, IntegerKernels.Available[^1], slots: 1);
        using var together = Harness(scheme, kernel, slots: 14);
        var sequences = requests.Select(together.Submit).ToArray();
        together.RunToTheEnd();
        for (var i = 0; i < requests.Length; i++)
        {
            Assert.Equal(reference.Bits(reference.Run(requests[i])), together.Bits(sequences[i]));
        }

        Assert.True(together.Statistics.BatchFill > 0.3, "The batch was never a batch.");
    }

    // Random layers pass rounding on many times stronger than trained ones do: measured 0.035 and 0.35.
    [Theory]
    [InlineData(QuantizationScheme.Int8, 0.06)]
    [InlineData(QuantizationScheme.Int4, 0.5)]
    [InlineData(QuantizationScheme.Nf4, 0.5)]
    [InlineData(QuantizationScheme.LlmInt8, 0.12)]
    public void Logits_are_near_those_of_the_weights_as_they_are(QuantizationScheme scheme, double share)
    {
        using var exact = Harness(QuantizationScheme.None, KernelKind.Auto, slots: 1);
        using var rounded = Harness(scheme, KernelKind.Auto, slots: 1);
        var (error, size) = (0.0, 0.0);
        for (var i = 0; i < 20; i++)
        {
            var request = Requests.Text(_random, 5 + i, 1);
            var (expected, actual) = (exact.Logits[exact.Run(request)][0], rounded.Logits[rounded.Run(request)][0]);
            error += expected.Zip(actual, (a, b) => Math.Pow(a - b, 2)).Sum();
            size += expected.Sum(a => Math.Pow(a, 2));
        }

        Assert.InRange(Math.Sqrt(error / size), 1e-5, share);
    }

    private EngineHarness Harness(QuantizationScheme scheme, KernelKind kernel, int slots) =>
        new(_model, new EngineOptions { KvPositions = 4096, MaxSlots = slots, Runner = RunnerKind.Cpu, Quantize = scheme, Kernel = kernel, Threads = 2 });
}
