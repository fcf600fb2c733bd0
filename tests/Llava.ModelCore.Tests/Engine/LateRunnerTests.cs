using Llava.ModelCore.Engine;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>What the loop does with a runner whose tokens come a step late.</summary>
public sealed class LateRunnerTests
{
    private readonly LateRunner _runner = new();
    private readonly EngineLoop _loop;

    public LateRunnerTests() => _loop = new EngineLoop(new StepPlanner(new EngineOptions { KvPositions = 256 }, 256), _runner, 32, TimeProvider.System);

    [Fact]
    public void The_last_token_is_fetched_though_there_is_nothing_left_to_compute()
    {
        var sequence = Enqueue(tokens: 3);
        while (_loop.Step())
        {
        }

        Assert.Equal((FinishReason.Length, 3), (EngineHarness.Result(sequence).Reason, EngineHarness.Result(sequence).Tokens.Count));
        Assert.Equal((3, 2), (_loop.Statistics.Steps, _loop.Statistics.DecodeTokens));
    }

    [Fact]
    public void Who_waits_for_tokens_that_are_lost_fails_with_the_step_and_nobody_waits_for_ever()
    {
        var (waits, goesOn) = (Enqueue(tokens: 1), Enqueue(tokens: 9));
        Assert.True(_loop.Step());
        _runner.Fault = new InvalidOperationException("The device is gone.");
        Assert.True(_loop.Step());
        Assert.All((Sequence[])[waits, goesOn], sequence => Assert.Contains("The device is gone.", EngineHarness.Result(sequence).Error!.Message, StringComparison.Ordinal));
        Assert.False(_loop.Step());
    }

    private Sequence Enqueue(int tokens)
    {
        var sequence = Requests.Text(new Random(1), 5, tokens).ToSequence();
        _loop.Enqueue(sequence);
        return sequence;
    }

    /// <summary>Every row samples token 7, one step late.</summary>
    private sealed class LateRunner : IStepRunner
    {
        private List<StepWork> _unread = [];

        public Exception? Fault { get; set; }

        public RowSampling.SampledRow? Sampled { get; set; }

        public bool IsBehind => _unread.Count > 0;

        public void Run(StepPlan plan, StepOutcome outcome)
        {
            CatchUp(outcome);
            _unread = [.. plan.Prefills.Concat(plan.Decodes).Where(work => work.Samples)];
            _unread.ForEach(work => work.Sequence.Unread++);
        }

        public void CatchUp(StepOutcome outcome)
        {
            var read = _unread;
            _unread = [];
            if (Fault is { } fault)
            {
                throw fault;
            }

            foreach (var work in read)
            {
                work.Sequence.Unread--;
                outcome.Works.Add(new WorkOutcome(work, new SampledToken(7, -0.5f)));
            }
        }

        public void Dispose()
        {
        }
    }
}
