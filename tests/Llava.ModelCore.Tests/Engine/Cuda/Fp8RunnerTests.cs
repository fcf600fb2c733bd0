using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Models;
using Llava.ModelCore.Quantization;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Engine.Cuda;

/// <summary>Weights, tokens, keys and values in eight bits on the device that the processor plays; its product has no scales of rows, which are then multiplied by afterwards.</summary>
public sealed class Fp8RunnerTests : IDisposable
{
    // Of random layers, which pass rounding on stronger than trained ones do: measured 0.1 at most.
    private const double Noise = 0.15;

    // Forms of the same rounding differ by bfloat16's, which tips a number into the next of eight bits now and then.
    private const double FormNoise = 0.06;

    private static readonly Dictionary<string, (QuantizationScheme Scheme, CudaOptions Options)> Forms = new()
    {
        ["weights"] = (QuantizationScheme.Fp8, new() { PrefillTokens = 256 }),
        ["cache"] = (QuantizationScheme.None, new() { KvCache = KvCacheType.Fp8, PrefillTokens = 256 }),
        ["both"] = (QuantizationScheme.Fp8, new() { KvCache = KvCacheType.Fp8, PrefillTokens = 256 }),
        ["both, torch's elements"] = (QuantizationScheme.Fp8, new() { KvCache = KvCacheType.Fp8, PrefillTokens = 256, FusedElements = false }),
        ["both, torch's rotation"] = (QuantizationScheme.Fp8, new() { KvCache = KvCacheType.Fp8, PrefillTokens = 256, FusedRotary = false }),
        ["both, plain attention"] = (QuantizationScheme.Fp8, new() { KvCache = KvCacheType.Fp8, PrefillTokens = 256, DecodeAttention = false }),
        ["both, small passes"] = (QuantizationScheme.Fp8, new() { KvCache = KvCacheType.Fp8, PrefillTokens = 16 }),
    };

    private readonly Random _random = new(2);
    private readonly LlavaModel _model = CudaRunnerTests.Rounded(CudaRunnerTests.Config());

    public static TheoryData<string> Names => [.. Forms.Keys];

    public void Dispose() => _model.Dispose();

    [Theory, MemberData(nameof(Names))]
    public void Logits_are_near_the_references_and_nearer_to_those_of_the_other_forms(string form)
    {
        using EngineHarness reference = new(_model, new EngineOptions { Runner = RunnerKind.Torch, KvPositions = 1024 });
        using var both = Harness("both");
        using var device = Harness(form);
        foreach (var request in (SequenceRequest[])[Requests.Text(_random, 37, 6), Requests.Question(_random, Requests.Picture(_random), 9, 5)])
        {
            var forced = request with { Forced = reference.Run(request).Generated.ToArray() };
            var (exact, alike, actual) = (Rows(reference, forced), Rows(both, forced), Rows(device, forced));
            Assert.InRange(CudaRunnerTests.Distance(exact, actual), 1e-3, Noise);
            if (form.StartsWith("both", StringComparison.Ordinal))
            {
                Assert.InRange(CudaRunnerTests.Distance(alike, actual), 0, FormNoise);
            }
        }
    }

    [Fact]
    public void Keys_and_values_that_are_shared_bring_their_scales_and_a_crowd_changes_nothing()
    {
        var image = Requests.Picture(_random);
        var requests = Enumerable.Range(0, 5).Select(i => Requests.Question(_random, image, 3 + i, 5) with { Forced = [5, 6, 7, 8, 9] }).ToArray();
        using var without = Harness("cache", new EngineOptions { KvPositions = 1024, PrefixCacheEntries = 0 });
        using var with = Harness("cache", new EngineOptions { KvPositions = 512, MaxSlots = 3 });
        var together = requests.Select(with.Submit).ToArray();
        with.RunToTheEnd();
        Assert.Equal((0, true), (without.Statistics.PrefixHits, with.Statistics.PrefixHits > 0));
        foreach (var (request, sequence) in requests.Zip(together))
        {
            Assert.InRange(CudaRunnerTests.Distance(Rows(without, request), [.. with.Logits[sequence].SelectMany(row => row)]), 0, FormNoise);
        }
    }

    [Fact]
    public void Steps_leave_no_tensor_behind()
    {
        using var device = Harness("both", new EngineOptions { KvPositions = 512, FeatureCacheBytes = 0 });
        Work();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Work();
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);

        void Work() => device.Run(Requests.Question(_random, Requests.Picture(_random), 5, 4));
    }

    [Fact]
    public void The_same_bytes_hold_nearly_twice_the_positions()
    {
        var language = Requests.Config().LanguageModel with { HiddenSize = 4096, IntermediateSize = 11_008, Heads = 32, KeyValueHeads = 32, Layers = 32, MaxPositions = 4096 };
        EngineOptions half = new() { Runner = RunnerKind.Cuda, MaxSlots = 256, KvCacheBytes = 64L << 30 }, rounded = new() { Runner = RunnerKind.Cuda, MaxSlots = 256, KvCacheBytes = 64L << 30, Cuda = new() { KvCache = KvCacheType.Fp8 } };
        // 128 numbers and a scale instead of 256 bytes, and a layer's worth of bfloat16 for all 32.
        Assert.Equal(((64L << 30) / (512 * 1024), (64L << 30) / ((2 * 32 * 32 * 132) + (2 * 32 * 256))), (half.KvPositionsFor(language), rounded.KvPositionsFor(language)));
        using var session = EmulatedSession.Open();
        using Fp8Arena arena = new(session, language with { Layers = 2 }, 10);
        Assert.Equal(10 * Fp8Arena.BytesPerPosition(language with { Layers = 2 }), arena.Bytes);
    }

    private EngineHarness Harness(string form, EngineOptions? options = null)
    {
        options ??= new EngineOptions { KvPositions = 1024 };
        (options.Quantize, options.Cuda) = Forms[form];
        (options.Runner, options.Cuda.DeviceSampling) = (RunnerKind.Cuda, false);
        return new EngineHarness(_model, options);
    }

    private static float[] Rows(EngineHarness harness, SequenceRequest request)
    {
        var sequence = harness.Run(request);
        Assert.Null(EngineHarness.Result(sequence).Error);
        return [.. harness.Logits[sequence].SelectMany(row => row)];
    }
}
