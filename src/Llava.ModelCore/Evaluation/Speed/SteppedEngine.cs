using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;

namespace Llava.ModelCore.Evaluation.Speed;

/// <summary>A planner and a runner that step when they are told to, on the caller's thread.</summary>
internal sealed class SteppedEngine : IDisposable
{
    private readonly LlavaConfig _config;
    private readonly MeasuredRunner _runner;
    private readonly EngineLoop _loop;
    private readonly Random _random = new(1);

    public SteppedEngine(LlavaConfig config, EngineOptions options, Func<int, IStepRunner> runner)
    {
        options.RequireValid();
        _config = config;
        var positions = options.KvPositionsFor(config.LanguageModel);
        _runner = new MeasuredRunner(runner(positions));
        _loop = new EngineLoop(new StepPlanner(options, positions), _runner, options.MaxSlots, TimeProvider.System);
    }

    /// <summary>Managed bytes of the last step, of the runner alone.</summary>
    public long AllocatedBytesPerStep => _runner.AllocatedBytes;

    /// <inheritdoc cref="RowSampling.Sampled"/>
    public RowSampling.SampledRow? Sampled
    {
        get => _runner.Sampled;
        set => _runner.Sampled = value;
    }

    /// <summary>What has been computed so far.</summary>
    public EngineStatistics Statistics => _loop.Statistics;

    /// <summary>Brings sequences to where each decodes with a context; their prompt is computed once and copied.</summary>
    public void Fill(int sequences, int context, int maxNewTokens)
    {
        var prompt = Prompt(context, maxNewTokens) with { SharesWholePrompt = true };
        for (var i = 0; i < sequences; i++)
        {
            Enqueue(prompt);
        }

        var decoded = _loop.Statistics.DecodeTokens;
        while (_loop.Statistics.Running < sequences || _loop.Statistics.DecodeTokens == decoded)
        {
            Step();
        }
    }

    /// <summary>Runs one step.</summary>
    public void Step()
    {
        if (!_loop.Step())
        {
            throw new InvalidOperationException("There is nothing left to compute.");
        }
    }

    /// <summary>Computes a prompt and its first token.</summary>
    public void Prompt(int tokens) => Answer([Prompt(tokens, 1)]);

    /// <summary>Computes prompts and their answers to the last token, all at once as far as slots reach.</summary>
    /// <returns>A sequence for each request.</returns>
    public IReadOnlyList<Sequence> Answer(IEnumerable<SequenceRequest> requests)
    {
        Sequence[] sequences = [.. requests.Select(Enqueue)];
        while (_loop.LiveCount > 0)
        {
            Step();
        }

        return sequences;
    }

    /// <summary>Ends all sequences where they are.</summary>
    public void Clear() => _loop.FinishAll(FinishReason.Cancelled);

    /// <inheritdoc/>
    public void Dispose() => _loop.Dispose();

    private SequenceRequest Prompt(int tokens, int maxNewTokens) => new()
    {
        PromptTokens = [.. Enumerable.Range(0, tokens).Select(_ => _random.Next(3, _config.LanguageModel.VocabularySize))],
        Sampling = new SamplingSettings { MaxNewTokens = maxNewTokens },
    };

    private Sequence Enqueue(SequenceRequest request)
    {
        Sequence sequence = new(request, PromptLayout.Of(request, _config));
        _loop.Enqueue(sequence);
        return sequence;
    }

    private sealed class MeasuredRunner(IStepRunner runner) : IStepRunner
    {
        public long AllocatedBytes { get; private set; }

        public RowSampling.SampledRow? Sampled
        {
            get => runner.Sampled;
            set => runner.Sampled = value;
        }

        public bool IsBehind => runner.IsBehind;

        public string? Notice => runner.Notice;

        public void CatchUp(StepOutcome outcome) => runner.CatchUp(outcome);

        public void Run(StepPlan plan, StepOutcome outcome)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            runner.Run(plan, outcome);
            AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        public void Dispose() => runner.Dispose();
    }
}
