using System.Runtime.InteropServices;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Models;
using Llava.ModelCore.Tests.Engine.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>The real loop, planner and runner (torch's, unless the options ask for another) on the test's own thread, with every sampled row's logits kept.</summary>
internal sealed class EngineHarness : IDisposable
{
    private readonly LlavaModel _model;
    private readonly IStepRunner _runner;
    private readonly EngineLoop _loop;

    public EngineHarness(LlavaModel model, EngineOptions? options = null, CudaSession? session = null)
    {
        options ??= new EngineOptions { KvPositions = 4096 };
        _model = model;
        Assert.Empty(options.Validate());
        var positions = options.KvPositionsFor(model.Config.LanguageModel);
        Images = options.UsesCuda ? ImagesOf(model) : null;
        _runner = options.Runner == RunnerKind.Cpu ? new CpuRunner(model, Packed(model, options), options, positions, TimeProvider.System)
            : Images is null ? new TorchRunner(model, options, positions, TimeProvider.System)
            : OnDevice(session ?? EmulatedSession.Open(), model, Images, options, positions);
        Sampled = (sequence, logits) =>
        {
            if (!Logits.TryGetValue(sequence, out var rows))
            {
                Logits.Add(sequence, rows = []);
            }

            rows.Add(logits.ToArray());
        };
        _loop = new EngineLoop(new StepPlanner(options, positions), _runner, options.MaxSlots, TimeProvider.System);
    }

    /// <inheritdoc cref="RowSampling.Sampled"/>
    public RowSampling.SampledRow? Sampled
    {
        get => _runner.Sampled;
        set => _runner.Sampled = value;
    }

    /// <summary>Tower and projector of the CUDA runner; null for others, which see with the model's own.</summary>
    public LlavaModel? Images { get; }

    public Dictionary<Sequence, List<float[]>> Logits { get; } = [];

    public EngineStatistics Statistics => _loop.Statistics;

    public Sequence Submit(SequenceRequest request)
    {
        var sequence = request.ToSequence(_model.Config);
        _loop.Enqueue(sequence);
        return sequence;
    }

    public bool Step() => _loop.Step();

    public void Finish(Sequence sequence, FinishReason reason) => _loop.Finish(sequence, reason);

    public void RunToTheEnd()
    {
        while (_loop.Step())
        {
        }

        Assert.Equal(0, _loop.LiveCount);
    }

    public Sequence Run(SequenceRequest request)
    {
        var sequence = Submit(request);
        RunToTheEnd();
        return sequence;
    }

    /// <summary>The logits of all rows a sequence sampled, bit by bit.</summary>
    public byte[] Bits(Sequence sequence) => [.. Logits[sequence].SelectMany(row => MemoryMarshal.AsBytes(row.AsSpan()).ToArray())];

    public static SequenceResult Result(Sequence sequence)
    {
        Assert.True(sequence.Handle.Completion.IsCompletedSuccessfully);
        return sequence.Handle.Completion.GetAwaiter().GetResult();
    }

    public void Dispose()
    {
        _loop.Dispose();
        Images?.Dispose();
    }

    private static CudaRunner OnDevice(CudaSession session, LlavaModel model, LlavaModel images, EngineOptions options, int positions) =>
        new(session, images, new DeviceWeights(model.Config.LanguageModel, Read(model), session, options), options, positions, TimeProvider.System);

    /// <summary>A copy of tower and projector as the device has them.</summary>
    private static LlavaModel ImagesOf(LlavaModel model)
    {
        LlavaModel images = new(model.Config, hasLanguage: false);
        var from = LlavaModelLoader.Named(model);
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, parameter) in LlavaModelLoader.Named(images))
        {
            parameter.copy_(from[name]);
        }

        CudaRunner.Place(images, CPU);
        return images;
    }

    private static Func<string, Tensor> Read(LlavaModel model)
    {
        var parameters = LlavaModelLoader.Named(model);
        return name => parameters[name].detach().clone();
    }

    private static DecoderWeights Packed(LlavaModel model, EngineOptions options)
    {
        using WorkerPool pool = new(1);
        return DecoderWeights.Pack(model.Config.LanguageModel, options.Quantize, Read(model), pool);
    }
}
