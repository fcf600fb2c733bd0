using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Models;
using Llava.ModelCore.Quantization;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Engine.Cuda;

/// <summary>The runner on the device that the processor plays, beside the reference in float32.</summary>
public sealed class CudaRunnerTests : IDisposable
{
    // bfloat16 has eight bits, and random layers pass rounding on many times stronger than trained ones do: measured 0.033 at most.
    private const double Noise = 0.05;

    private static readonly Dictionary<string, CudaOptions> Forms = new()
    {
        ["all on"] = new(),
        ["host sampling"] = new() { DeviceSampling = false },
        ["torch's elements"] = new() { FusedElements = false, DeviceSampling = false },
        ["torch's rotation"] = new() { FusedRotary = false, DeviceSampling = false },
        ["plain attention"] = new() { DecodeAttention = false, DeviceSampling = false },
        ["two streams"] = new() { TwoStreams = true, DeviceSampling = false },
        ["no graphs"] = new() { GraphRows = 0, DeviceSampling = false },
        ["images one by one"] = new() { VisionImages = 1, DeviceSampling = false },
        ["small passes"] = new() { PrefillTokens = 16, DeviceSampling = false },
        ["all off"] = new() { FusedElements = false, FusedRotary = false, DecodeAttention = false, FlashAttention = false, DeviceSampling = false },
    };

    private readonly Random _random = new(1);
    private readonly LlavaModel _model = Rounded(Config());

    public static TheoryData<string> Names => [.. Forms.Keys];

    public void Dispose() => _model.Dispose();

    [Theory, MemberData(nameof(Names))]
    public void Logits_are_the_references_within_the_noise_of_bfloat16(string form)
    {
        using var reference = Reference();
        using var device = Harness(Forms[form]);
        foreach (var request in Mixed(4))
        {
            // Both are told the tokens, so that every row has the same context.
            var forced = request with { Forced = reference.Run(request).Generated.ToArray() };
            var (expected, actual) = (reference.Run(forced), device.Run(forced));
            AssertNear(reference.Logits[expected], device.Logits[actual]);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Every_form_gives_the_same_text(string form)
    {
        using var all = Harness();
        using var one = Harness(Forms[form]);
        var requests = Mixed(4);
        var (first, second) = (requests.Select(all.Submit).ToArray(), requests.Select(one.Submit).ToArray());
        all.RunToTheEnd();
        one.RunToTheEnd();
        Assert.All(first.Zip(second), pair => AssertSameText(all, pair.First, one, pair.Second));
    }

    [Fact]
    public void A_sequence_says_the_same_alone_and_in_a_crowd_wherever_its_extent_lies()
    {
        var requests = Mixed(12);
        using var alone = Harness();
        using var crowded = Harness(options: new EngineOptions { KvPositions = 512, MaxSlots = 5 });
        Dictionary<int, Sequence> sequences = [];
        foreach (var i in Enumerable.Range(0, requests.Length).OrderBy(_ => _random.Next()))
        {
            sequences[i] = crowded.Submit(requests[i]);
            crowded.Step();
        }

        crowded.RunToTheEnd();
        Assert.True(crowded.Statistics.BatchFill > 0.2, "The batch was never a batch.");
        Assert.All(sequences, pair => AssertSameText(alone, alone.Run(requests[pair.Key]), crowded, pair.Value));
    }

    [Fact]
    public void Questions_share_an_image_and_what_is_before_it()
    {
        var image = Requests.Picture(_random);
        var requests = Enumerable.Range(0, 4).Select(i => Requests.Question(_random, image, 3 + i, 5)).ToArray();
        using var without = Harness(options: new EngineOptions { KvPositions = 1024, PrefixCacheEntries = 0 });
        using var with = Harness();
        foreach (var request in requests)
        {
            AssertSameText(without, without.Run(request), with, with.Run(request));
        }

        Assert.Equal((0, 3), (without.Statistics.PrefixHits, with.Statistics.PrefixHits));
        Assert.Equal((1, 1), (without.Statistics.ImagesEncoded, with.Statistics.ImagesEncoded));
    }

    [Fact]
    public void A_packed_pass_takes_many_prompts_and_those_that_decode_in_one_step()
    {
        using var device = Harness();
        device.Submit(Requests.Text(_random, 5, 6));
        device.Step();
        for (var i = 0; i < 6; i++)
        {
            device.Submit(Requests.Text(_random, 10 + i, 3));
        }

        device.Step();
        Assert.Equal((2, 5 + 75, 1), (device.Statistics.Steps, device.Statistics.PrefillTokens, device.Statistics.DecodeTokens));
        device.RunToTheEnd();
    }

    [Fact]
    public void What_the_device_draws_is_what_the_host_draws_and_rows_of_both_share_a_batch()
    {
        SamplingSettings[] settings =
        [
            new() { Temperature = 0.8, TopP = 0.9, Seed = 5 },
            new() { Temperature = 1.3, TopK = 7, Seed = 6 },
            new() { Temperature = 1, Seed = 7, VocabularyLimit = 20 },
            new() { VocabularyLimit = 11 },
            new() { RepetitionPenalty = 1.4 },
            new() { Temperature = 1, Seed = 8, TopLogProbabilities = 3 },
            new() { MinNewTokens = 4, StopTokens = [.. Enumerable.Range(0, 60)] },
            new(),
        ];
        SequenceRequest[] requests = [.. settings.Select((one, i) => Requests.Text(_random, 6 + i, 6) with { Sampling = one with { MaxNewTokens = 6 } })];
        using var onDevice = Harness(new CudaOptions());
        using var onHost = Harness();
        var (first, second) = (requests.Select(onDevice.Submit).ToArray(), requests.Select(onHost.Submit).ToArray());
        onDevice.RunToTheEnd();
        onHost.RunToTheEnd();
        for (var i = 0; i < requests.Length; i++)
        {
            var (device, host) = (EngineHarness.Result(first[i]), EngineHarness.Result(second[i]));
            Assert.Equal(host.Tokens, device.Tokens);
            Assert.Equal(host.Confidence.MeanLogProbability, device.Confidence.MeanLogProbability, 1e-4);
            Assert.All(device.Tokens, token => Assert.InRange(token, 0, (settings[i].VocabularyLimit ?? 97) - 1));
        }
    }

    [Fact]
    public void Tokens_that_are_read_late_are_those_that_are_read_at_once_and_ends_are_kept()
    {
        using var late = Harness(new CudaOptions());
        using var prompt = Harness(new CudaOptions { LateTokens = false });
        (late.Sampled, prompt.Sampled) = (null, null);
        var requests = Mixed(6).Select((request, i) => request with
        {
            Sampling = request.Sampling with { StopTokens = [.. Enumerable.Range(10 * i, 25)], Temperature = i % 2 * 0.9, Seed = i, RepetitionPenalty = i == 3 ? 1.2 : 1 },
        }).ToArray();
        var (first, second, unread) = (new List<Sequence>(), new List<Sequence>(), 0);
        foreach (var request in requests)
        {
            first.Add(late.Submit(request));
            second.Add(prompt.Submit(request));
            late.Step();
            prompt.Step();
            Assert.All(second, sequence => Assert.Equal(0, sequence.Unread));
            unread += first.Count(sequence => sequence.Unread > 0);
        }

        Assert.InRange(unread, 1, int.MaxValue);
        late.RunToTheEnd();
        prompt.RunToTheEnd();
        var results = first.Zip(second, (one, other) => (Late: EngineHarness.Result(one), Prompt: EngineHarness.Result(other))).ToArray();
        Assert.All(results, pair => Assert.Equal((pair.Prompt.Reason, string.Join(' ', pair.Prompt.Tokens)), (pair.Late.Reason, string.Join(' ', pair.Late.Tokens))));
        Assert.Contains(results, pair => pair.Late.Reason == FinishReason.Stop);
        Assert.Contains(results, pair => pair.Late.Reason == FinishReason.Length);
    }

    [Fact]
    public void A_sequence_that_goes_while_its_token_is_unread_leaves_the_others_alone()
    {
        using var device = Harness(new CudaOptions());
        device.Sampled = null;
        var (gone, stays) = (device.Submit(Requests.Text(_random, 5, 9)), device.Submit(Requests.Text(_random, 5, 4)));
        device.Step();
        device.Step();
        Assert.Equal((1, 1), (gone.Unread, gone.Generated.Length));
        device.Finish(gone, FinishReason.Cancelled);
        var next = device.Submit(Requests.Text(_random, 5, 3));
        device.RunToTheEnd();
        Assert.Equal((1, 4, 3), (EngineHarness.Result(gone).Tokens.Count, EngineHarness.Result(stays).Tokens.Count, EngineHarness.Result(next).Tokens.Count));
        Assert.Equal(0, device.Statistics.KvUsage);
    }

    [Fact]
    public void Positions_that_are_scaled_by_length_are_the_references()
    {
        using var model = Rounded(Config(new RopeScaling(RopeScalingKind.Dynamic, 4)));
        using var reference = new EngineHarness(model);
        using var device = Harness(model: model);
        var forced = Requests.Text(_random, 30, 4) with { Forced = [5, 6, 7, 8] };
        device.Submit(Requests.Text(_random, 6, 8));
        AssertNear(reference.Logits[reference.Run(forced)], device.Logits[device.Run(forced)]);
    }

    [Theory]
    [InlineData(QuantizationScheme.Int4)]
    [InlineData(QuantizationScheme.Nf4)]
    public void Weights_in_four_bits_are_near_those_of_the_model_whoever_multiplies_by_them(QuantizationScheme scheme)
    {
        var request = Requests.Text(_random, 21, 4) with { Forced = [5, 6, 7, 8] };
        using var reference = Reference();
        // Twenty-one rows are multiplied by a copy in bfloat16; sixteen, five and one by a copy and twice by the codes.
        using var whole = Harness(options: new EngineOptions { KvPositions = 1024, Quantize = scheme });
        using var chunked = Harness(new CudaOptions { PrefillTokens = 16 }, new EngineOptions { KvPositions = 1024, Quantize = scheme });
        var runs = (EngineHarness[])[reference, whole, chunked];
        var sequences = runs.Select(run => run.Run(request)).ToArray();
        Assert.All(sequences, sequence => Assert.Null(EngineHarness.Result(sequence).Error));
        var (exact, first, second) = (reference.Logits[sequences[0]], whole.Logits[sequences[1]], chunked.Logits[sequences[2]]);
        AssertNear(first, second);
        Assert.InRange(Distance([.. exact.SelectMany(row => row)], [.. first.SelectMany(row => row)]), 2 * Noise, 0.6);
    }

    [Theory]
    [InlineData(QuantizationScheme.None)]
    [InlineData(QuantizationScheme.Fp8)]
    [InlineData(QuantizationScheme.Int4)]
    [InlineData(QuantizationScheme.Nf4)]
    public void Weights_take_what_their_shapes_say(QuantizationScheme scheme)
    {
        var language = _model.Config.LanguageModel;
        var parameters = LlavaModelLoader.Named(_model);
        using var session = EmulatedSession.Open();
        using DeviceWeights weights = new(language, name => parameters[name].detach().clone(), session, new EngineOptions { Runner = RunnerKind.Cuda, Quantize = scheme });
        Assert.Equal(ModelParameters.OfLanguageModel(language).Sum(parameter => DeviceWeights.BytesOf(parameter, scheme)) + DeviceWeights.ScratchBytes(language, scheme), weights.Bytes);
    }

    [Fact]
    public void Heads_that_our_kernels_do_not_take_are_computed_by_torch()
    {
        using var model = Rounded(Requests.Config());
        using var reference = new EngineHarness(model);
        using var device = Harness(model: model);
        var forced = Requests.Question(_random, Requests.Picture(_random), 5, 4) with { Forced = [5, 6, 7, 8] };
        AssertNear(reference.Logits[reference.Run(forced)], device.Logits[device.Run(forced)]);
    }

    [Fact]
    public void An_image_that_makes_nonsense_and_a_row_that_breaks_fail_alone()
    {
        using var device = Harness(new CudaOptions());
        var pixels = Requests.Picture(_random).Pixels;
        pixels[5] = float.NaN;
        var good = Mixed(5).Select(device.Submit).ToArray();
        var nonsense = device.Submit(Requests.Question(_random, new ImageInput(pixels, 16), 4, 4));
        var broken = device.Submit(Requests.Text(_random, 4, 4));
        var record = device.Sampled!;
        device.Sampled = (sequence, logits) =>
        {
            record(sequence, logits);
            if (sequence == broken && sequence.Generated.Length == 2)
            {
                throw new InvalidOperationException("Broken on purpose.");
            }
        };
        device.RunToTheEnd();
        Assert.Contains("not finite", EngineHarness.Result(nonsense).Error!.Message, StringComparison.Ordinal);
        Assert.Contains("Broken on purpose", EngineHarness.Result(broken).Error!.Message, StringComparison.Ordinal);
        Assert.All(good, sequence => Assert.Equal(FinishReason.Length, EngineHarness.Result(sequence).Reason));
    }

    [Fact]
    public void An_image_that_cannot_be_encoded_fails_its_sequence_alone()
    {
        using var device = Harness();
        LlavaModelLoader.Named(device.Images!)["projector.layers.0.weight"].Dispose();
        var bad = device.Submit(Requests.Question(_random, Requests.Picture(_random), 4, 4));
        var good = device.Submit(Requests.Text(_random, 4, 4));
        device.RunToTheEnd();
        Assert.Equal((FinishReason.Error, FinishReason.Length), (EngineHarness.Result(bad).Reason, EngineHarness.Result(good).Reason));
    }

    [Theory]
    [InlineData(32, int.MaxValue, new[] { 5L })]
    [InlineData(2, int.MaxValue, new[] { 2L, 2, 1 })]
    // As where memory is short: whoever needs an image of a batch that failed encodes it alone.
    [InlineData(4, 1, new[] { 4L, 1, 1, 1, 1, 1 })]
    public void New_images_of_a_step_are_encoded_together(int together, int most, long[] batches)
    {
        using var device = Harness(new CudaOptions { VisionImages = together, DeviceSampling = false });
        List<long> seen = [];
        device.Images!.Projector.register_forward_hook((_, input, output) =>
        {
            seen.Add(input.shape[0]);
            return input.shape[0] <= most ? output : throw new InvalidOperationException("More than fit.");
        });
        var pictures = Enumerable.Range(0, 5).Select(_ => Requests.Picture(_random)).ToArray();
        var requests = pictures.Append(pictures[1]).Select(picture => Requests.Question(_random, picture, 4, 3)).ToArray();
        var sequences = requests.Select(device.Submit).ToArray();
        device.RunToTheEnd();

        Assert.Equal(batches, seen);
        Assert.Equal(5, device.Statistics.ImagesEncoded);
        using var alone = Harness(new CudaOptions { VisionImages = 1, DeviceSampling = false });
        Assert.All(requests.Zip(sequences), pair => AssertSameText(alone, alone.Run(pair.First), device, pair.Second));
    }

    [Fact]
    public void Steps_without_number_leave_no_tensor_behind()
    {
        using var device = Harness(new CudaOptions(), new EngineOptions { KvPositions = 512, FeatureCacheBytes = 0 });
        device.Sampled = null;
        Work();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        var steps = device.Statistics.Steps;
        while (device.Statistics.Steps < steps + Soak.Steps(quick: 15))
        {
            Work();
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);

        void Work()
        {
            Array.ForEach(Mixed(4), request => device.Submit(request));
            device.RunToTheEnd();
            device.Logits.Clear();
        }
    }

    internal static LlavaConfig Config(RopeScaling? scaling = null)
    {
        var small = Requests.Config(scaling, maxPositions: scaling is null ? 512 : 24);
        return small with
        {
            LanguageModel = small.LanguageModel with { HiddenSize = 64, IntermediateSize = 96, Heads = 4, KeyValueHeads = 2 },
            Projector = small.Projector! with { OutputSize = 64 },
        };
    }

    /// <summary>A model whose weights are the same in bfloat16 and in float32, so that only the computing differs.</summary>
    internal static LlavaModel Rounded(LlavaConfig config)
    {
        var model = RandomModel.Create(config);
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        foreach (var parameter in LlavaModelLoader.Named(model).Values)
        {
            parameter.copy_(parameter.to(ScalarType.BFloat16));
        }

        return model;
    }

    private EngineHarness Reference() => new(_model, new EngineOptions { Runner = RunnerKind.Torch, KvPositions = 1024 });

    /// <summary>Everything on but sampling, which takes most of the time where threads are played: tests that are about it ask for it.</summary>
    private EngineHarness Harness(CudaOptions? cuda = null, EngineOptions? options = null, LlavaModel? model = null)
    {
        options ??= new EngineOptions { KvPositions = 1024 };
        (options.Runner, options.Cuda) = (RunnerKind.Cuda, cuda ?? new CudaOptions { PrefillTokens = 256, DeviceSampling = false });
        return new EngineHarness(model ?? _model, options);
    }

    private SequenceRequest[] Mixed(int count) => [.. Enumerable.Range(0, count).Select(i => i % 2 == 0
        ? Requests.Text(_random, 1 + _random.Next(40), 5 + (i % 3))
        : Requests.Question(_random, Requests.Picture(_random), _random.Next(15), 5 + (i % 4)))];

    private static void AssertNear(List<float[]> expected, List<float[]> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (exact, rounded) in expected.Zip(actual))
        {
            Assert.InRange(Distance(exact, rounded), 0, Noise);
        }
    }

    /// <summary>The same tokens up to the first at which the best two were nearer to each other than bfloat16 tells.</summary>
    internal static void AssertSameText(EngineHarness first, Sequence expected, EngineHarness second, Sequence actual)
    {
        var same = AssertSameTokens(first, expected, actual);
        Assert.All(Enumerable.Range(0, same), i => Assert.InRange(Distance(first.Logits[expected][i], second.Logits[actual][i]), 0, Noise));
    }

    /// <summary>The same by the logits of one of them; tells of how many rows the context is the same.</summary>
    internal static int AssertSameTokens(EngineHarness first, Sequence expected, Sequence actual)
    {
        Assert.Equal(expected.Generated.Length, actual.Generated.Length);
        for (var i = 0; i < expected.Generated.Length; i++)
        {
            if (expected.Generated[i] != actual.Generated[i])
            {
                var row = first.Logits[expected][i];
                var size = Math.Sqrt(row.Sum(logit => (double)logit * logit) / row.Length);
                Assert.InRange(row[expected.Generated[i]] - row[actual.Generated[i]], 0, 2 * Noise * size);
                return i + 1;
            }
        }

        return expected.Generated.Length;
    }

    internal static double Distance(float[] exact, float[] rounded) =>
        Math.Sqrt(exact.Zip(rounded, (a, b) => Math.Pow(a - b, 2)).Sum() / exact.Sum(a => Math.Pow(a, 2)));
}
