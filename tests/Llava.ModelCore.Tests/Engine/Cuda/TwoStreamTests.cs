using System.Runtime.InteropServices;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Models;
using Llava.ModelCore.Quantization;
using Llava.ModelCore.Tests.Kernels.Cuda;
using TorchSharp;

namespace Llava.ModelCore.Tests.Engine.Cuda;

/// <summary>Rows that decode and prompts as passes of their own, on the device that the processor plays, where both streams are one.</summary>
public sealed class TwoStreamTests : IDisposable
{
    private readonly Random _random = new(5);
    private readonly LlavaModel _model = CudaRunnerTests.Rounded(CudaRunnerTests.Config());

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData(false, QuantizationScheme.None)]
    [InlineData(true, QuantizationScheme.None)]
    [InlineData(false, QuantizationScheme.Fp8)]
    public void A_crowd_with_prompts_in_chunks_gets_the_answers_of_one_stream(bool isLate, QuantizationScheme scheme)
    {
        using var one = Harness(twoStreams: false, onDevice: false, scheme);
        using var two = Harness(twoStreams: true, onDevice: isLate, scheme);
        two.Sampled = isLate ? null : two.Sampled;
        var requests = Enumerable.Range(0, 5).Select(i => i % 3 == 0 ? Requests.Question(_random, Requests.Picture(_random), 4 + i, 4) : Requests.Text(_random, 3 + (9 * i), 3 + i)).ToArray();
        List<(Sequence One, Sequence Two)> sequences = [];
        foreach (var request in requests)
        {
            sequences.Add((one.Submit(request), two.Submit(request)));
            one.Step();
            two.Step();
        }

        one.RunToTheEnd();
        two.RunToTheEnd();
        Assert.True(two.Statistics.BatchFill > 0.3, "The batch was never a batch.");
        Assert.Equal(one.Statistics.ImagesEncoded, two.Statistics.ImagesEncoded);
        Assert.All(sequences, pair => CudaRunnerTests.AssertSameTokens(one, pair.One, pair.Two));
    }

    [Fact]
    public void An_image_that_cannot_be_encoded_fails_its_sequence_alone_and_nothing_is_left_behind()
    {
        using var device = Harness(twoStreams: true, onDevice: true);
        device.Sampled = null;
        Work();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Work();
        Work();
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);

        LlavaModelLoader.Named(device.Images!)["projector.layers.0.weight"].Dispose();
        var decoding = device.Submit(Requests.Text(_random, 4, 6));
        device.Step();
        var bad = device.Submit(Requests.Question(_random, Requests.Picture(_random), 4, 4));
        var good = device.Submit(Requests.Text(_random, 4, 4));
        device.RunToTheEnd();
        Assert.Equal(
            (FinishReason.Length, FinishReason.Error, FinishReason.Length),
            (EngineHarness.Result(decoding).Reason, EngineHarness.Result(bad).Reason, EngineHarness.Result(good).Reason));

        void Work()
        {
            for (var i = 0; i < 2; i++)
            {
                device.Submit(Requests.Text(_random, 20 + i, 4 + i));
            }

            device.RunToTheEnd();
        }
    }

    [Fact]
    public unsafe void Streams_wait_for_each_other_at_both_ends_of_a_step_and_not_within()
    {
        using var session = EmulatedSession.Open();
        session.Enter();
        var (main, _) = (session.Kernels.Stream, Waits());
        using SideStream side = new(session);
        side.Begin();
        Assert.Equal(main, session.Kernels.Stream);
        side.Enter();
        var other = session.Kernels.Stream;
        Assert.NotEqual(main, other);
        side.End();
        Assert.Equal(main, session.Kernels.Stream);
        Assert.Equal([(other, main), (main, other)], Waits());

        static IEnumerable<(nint Stream, nint Other)> Waits()
        {
            var wait = (delegate* unmanaged<nint*, nint*, int>)NativeLibrary.GetExport(NativeLibrary.Load(EmulatedDevice.Library), "emulator_wait");
            List<(nint, nint)> waits = [];
            nint stream, other;
            while (wait(&stream, &other) != 0)
            {
                waits.Add((stream, other));
            }

            return waits;
        }
    }

    /// <summary>Keys and values are in eight bits where the weights are.</summary>
    private EngineHarness Harness(bool twoStreams, bool onDevice, QuantizationScheme scheme = QuantizationScheme.None) => new(_model, new EngineOptions
    {
        Quantize = scheme,
        Runner = RunnerKind.Cuda,
        KvPositions = 1024,
        MaxSlots = 4,
        Cuda = new() { TwoStreams = twoStreams, PrefillTokens = 16, DeviceSampling = onDevice, KvCache = scheme == QuantizationScheme.Fp8 ? KvCacheType.Fp8 : KvCacheType.BFloat16 },
    });
}
