using System.Runtime.InteropServices;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Models;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>The real loop, planner and torch runner on the test's own thread, with every sampled row's logits kept.</summary>
internal sealed class EngineHarness : IDisposable
{
    private readonly LlavaModel _model;
    private readonly EngineLoop _loop;

    public EngineHarness(LlavaModel model, EngineOptions? options = null)
    {
        options ??= new EngineOptions { KvPositions = 4096 };
        _model = model;
        Assert.Empty(options.Validate());
        var positions = options.KvPositionsFor(model.Config.LanguageModel);
        Runner = new TorchRunner(model, options, positions, TimeProvider.System)
        {
            Sampled = (sequence, logits) =>
            {
                if (!Logits.TryGetValue(sequence, out var rows))
                {
                    Logits.Add(sequence, rows = []);
                }

                rows.Add(logits.ToArray());
            },
        };
        _loop = new EngineLoop(new StepPlanner(options, positions), Runner, options.MaxSlots, TimeProvider.System);
    }

    public TorchRunner Runner { get; }

    public Dictionary<Sequence, List<float[]>> Logits { get; } = [];

    public EngineStatistics Statistics => _loop.Statistics;

    public Sequence Submit(SequenceRequest request)
    {
        var sequence = request.ToSequence(_model.Config);
        _loop.Enqueue(sequence);
        return sequence;
    }

    public bool Step() => _loop.Step();

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

    public void Dispose() => _loop.Dispose();
}
