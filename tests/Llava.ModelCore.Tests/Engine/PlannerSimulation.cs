using Llava.ModelCore.Engine;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>Runs plans without a model: every sampling row gets a made-up token, and every rule of a plan is checked at every step.</summary>
internal sealed class PlannerSimulation
{
    private readonly StepPlanner _planner;
    private readonly EngineOptions _options;
    private readonly Dictionary<Sequence, int> _computed = [];
    private readonly Dictionary<Sequence, List<(int First, int Count)>> _chunks = [];

    public PlannerSimulation(StepPlanner planner, EngineOptions options)
    {
        (_planner, _options) = (planner, options);
        planner.Admitted = AdmissionOrder.Add;
    }

    public List<Sequence> Submitted { get; } = [];

    public List<Sequence> AdmissionOrder { get; } = [];

    public Dictionary<Sequence, int> Finished { get; } = [];

    public int PrefilledTokens { get; private set; }

    public List<(int First, int Count)> ChunksOf(Sequence sequence) => _chunks[sequence];

    public Sequence Submit(Sequence sequence)
    {
        Submitted.Add(sequence);
        (_computed[sequence], _chunks[sequence]) = (0, []);
        _planner.Enqueue(sequence);
        return sequence;
    }

    public void Step(Random random, bool mayCancel = false)
    {
        var plan = _planner.Plan();
        CheckExtents();
        Assert.InRange(plan.TokenCount, 0, _options.MaxStepTokens);
        Assert.InRange(_planner.Running.Count, 0, _options.MaxSlots);
        foreach (var copy in plan.Copies)
        {
            Assert.Equal(copy.Sequence.Extent!.Value.Start, copy.Target);
            _computed[copy.Sequence] = copy.Count;
        }

        foreach (var work in plan.Prefills)
        {
            Assert.InRange(work.Count, 1, _options.PrefillChunkTokens);
            _chunks[work.Sequence].Add((work.FirstPosition, work.Count));
            PrefilledTokens += work.Count;
        }

        foreach (var work in plan.Prefills.Concat(plan.Decodes).ToArray())
        {
            Compute(work, random);
        }

        if (mayCancel && random.Next(10) == 0 && Submitted.FindAll(s => !Finished.ContainsKey(s)) is { Count: > 0 } live)
        {
            Finish(live[random.Next(live.Count)]);
        }
    }

    public void RunToTheEnd(Random random, Sequence? except = null)
    {
        for (var steps = 0; Submitted.Exists(s => s != except && !Finished.ContainsKey(s)); steps++)
        {
            Assert.True(steps < 200_000, "Something never finishes.");
            var before = PrefilledTokens + _computed.Values.Sum() + Finished.Count;
            Step(random);
            Assert.True(PrefilledTokens + _computed.Values.Sum() + Finished.Count > before, "A step did nothing though work waits.");
        }
    }

    private void Compute(StepWork work, Random random)
    {
        var sequence = work.Sequence;
        Assert.Equal(_computed[sequence], work.FirstPosition);
        _computed[sequence] += work.Count;
        Assert.True(_computed[sequence] <= sequence.Extent!.Value.Count, "A sequence outgrew its extent.");
        Assert.Equal(_computed[sequence] >= sequence.Layout.Positions, work.Samples);
        StepPlanner.Confirm(work);
        if (work.Samples)
        {
            sequence.Append(new SampledToken(random.Next(3, 97), 0));
            if (sequence.Generated.Length == sequence.Request.Sampling.MaxNewTokens || random.Next(50) == 0)
            {
                Finish(sequence);
            }
        }
    }

    private void Finish(Sequence sequence)
    {
        Assert.True(_planner.Remove(sequence));
        Finished[sequence] = Finished.GetValueOrDefault(sequence) + 1;
    }

    private void CheckExtents()
    {
        var extents = _planner.Running.Select(s => s.Extent!.Value).OrderBy(e => e.Start).ToArray();
        for (var i = 1; i < extents.Length; i++)
        {
            Assert.True(extents[i - 1].End <= extents[i].Start, "Extents overlap.");
        }

        Assert.All(extents, e => Assert.InRange(e.End, e.Start, _planner.KvCapacity));
        Assert.Equal(extents.Sum(e => e.Count), _planner.KvReserved);
    }
}
