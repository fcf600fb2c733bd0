using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native.Shim;
using Llava.ModelCore.Quantization;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Engine.Cuda;

/// <summary>Weights, tokens, keys and values in eight bits on the device that the processor plays; its product has no scales of rows, which are then multiplied by afterwards.</summary>
public sealed class Fp8RunnerTests : IDisposable
{
    // Of random layers, which pass rounding on stronger than trained ones do: measured 0.24 at most.
    private const double Noise = 0.4;

    // Forms of the same rounding differ by bfloat16's, which tips a number into the next of eight bits now and then.
    private const double FormNoise = 0.15;

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
        using var device = Harness(form);
        var forced = Requests.Question(_random, Requests.Picture(_random), 12, 5) with { Forced = [5, 6, 7, 8, 9] };
        var (exact, actual) = (Rows(reference, forced), Rows(device, forced));
        Assert.InRange(CudaRunnerTests.Distance(exact, actual), 1e-3, Noise);
        if (form.StartsWith("both,", StringComparison.Ordinal))
        {
            using var both = Harness("both");
            Assert.InRange(CudaRunnerTests.Distance(Rows(both, forced), actual), 0, FormNoise);
        }
    }

    [Fact]
    public void A_product_is_that_of_the_rounded_numbers()
    {
        using var scope = NewDisposeScope();
        using var session = EmulatedSession.Open();
        Tensor weight = randn(32, 48, ScalarType.BFloat16), input = randn(3, 48, ScalarType.BFloat16), output = empty(3, 32, ScalarType.BFloat16);
        var (left, right) = (Rounded(session, input), Rounded(session, weight));
        using Fp8Matrix matrix = new(session, [weight.narrow(0, 0, 16).clone(), weight.narrow(0, 16, 16).clone()]);
        matrix.Multiply(new DeviceRows(input, left), output);
        var expected = (left.Codes.to(ScalarType.Float32) * left.Scales).mm((right.Codes.to(ScalarType.Float32) * right.Scales).t());
        Assert.True(output.to(ScalarType.Float32).allclose(expected, 0.01, 0.01));
        Assert.True(expected.allclose(input.to(ScalarType.Float32).mm(weight.to(ScalarType.Float32).t()), 0.3, 1.5));
    }

    [Fact]
    public void Keys_and_values_that_are_shared_bring_their_scales_and_a_crowd_changes_nothing()
    {
        var image = Requests.Picture(_random);
        var requests = Enumerable.Range(0, 3).Select(i => Requests.Question(_random, image, 3 + i, 5) with { Forced = [5, 6, 7, 8, 9] }).ToArray();
        using var without = Harness("cache", new EngineOptions { KvPositions = 1024, PrefixCacheEntries = 0 });
        using var with = Harness("cache", new EngineOptions { KvPositions = 512, MaxSlots = 2 });
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

    private static Fp8Rows Rounded(CudaSession session, Tensor numbers)
    {
        Fp8Rows rows = new(StableShim.AsFloat8(empty(numbers.shape, ScalarType.Byte)), empty(numbers.shape[0], 1, ScalarType.Float32));
        Fp8Kernels.Quantize(session.Kernels, StableShim.Address(numbers.Handle), rows.Target, (int)numbers.shape[0], (int)numbers.shape[1]);
        return rows;
    }

    private static float[] Rows(EngineHarness harness, SequenceRequest request)
    {
        var sequence = harness.Run(request);
        Assert.Null(EngineHarness.Result(sequence).Error);
        return [.. harness.Logits[sequence].SelectMany(row => row)];
    }
}
