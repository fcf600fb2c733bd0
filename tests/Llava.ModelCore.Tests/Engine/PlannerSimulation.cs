using Llava.ModelCore.Engine;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>
/// Runs plans without a model: every sampling row gets a made-up token, every position of the arena holds a number for its key and value, and every rule of a
/// plan is checked at every step.
/// </summary>
internal sealed class PlannerSimulation
{
    private readonly StepPlanner _planner;
    private readonly EngineOptions _options;
    private readonly Dictionary<Sequence, int> _computed = [];
    private readonly Dictionary<Sequence, List<(int First, int Count)>> _chunks = [];
    private readonly Dictionary<Sequence, int> _numbers = [];
    private readonly List<Sequence> _live = [];
    private readonly int[] _arena;

    public PlannerSimulation(StepPlanner planner, EngineOptions options)
    {
        (_planner, _options, _arena) = (planner, options, new int[planner.KvCapacity]);
        planner.Admitted = AdmissionOrder.Add;
    }

    public List<Sequence> Submitted { get; } = [];

    public List<Sequence> AdmissionOrder { get; } = [];

    public Dictionary<Sequence, int> Finished { get; } = [];

    public int PrefilledTokens { get; private set; }

    /// <summary>Prefixes that were copied instead of being computed.</summary>
    public int PrefixHits { get; private set; }

    /// <summary>Sequences that ended before they were finished.</summary>
    public int Cancelled { get; private set; }

    public List<(int First, int Count)> ChunksOf(Sequence sequence) => _chunks[sequence];

    public Sequence Submit(Sequence sequence)
    {
        Submitted.Add(sequence);
        (_computed[sequence], _chunks[sequence], _numbers[sequence]) = (0, [], Submitted.Count);
        _live.Add(sequence);
        _planner.Enqueue(sequence);
        return sequence;
    }

    /// <summary>Plans and computes one step.</summary>
    /// <param name="random">Chooses tokens, ends, cancels and failures.</param>
    /// <param name="mayCancel">Whether sequences may be cancelled between steps, or fail in one.</param>
    public void Step(Random random, bool mayCancel = false)
    {
        var plan = _planner.Plan();
        CheckExtents();
        Assert.InRange(plan.TokenCount, 0, _options.MaxStepTokens);
        Assert.InRange(_planner.Running.Count, 0, _options.MaxSlots);
        foreach (var copy in plan.Copies)
        {
            Assert.Equal(copy.Sequence.Extent!.Value.Start, copy.Target);
            Assert.True(copy.Source + copy.Count <= copy.Target || copy.Source >= copy.Target + copy.Count, "A prefix is copied onto itself.");
            _arena.AsSpan(copy.Source, copy.Count).CopyTo(_arena.AsSpan(copy.Target));
            _computed[copy.Sequence] = copy.Count;
            PrefixHits++;
        }

        foreach (var work in plan.Prefills)
        {
            Assert.InRange(work.Count, 1, _options.PrefillChunkTokens);
            _chunks[work.Sequence].Add((work.FirstPosition, work.Count));
            PrefilledTokens += work.Count;
        }

        foreach (var work in plan.Prefills.Concat(plan.Decodes).ToArray())
        {
            if (Finished.ContainsKey(work.Sequence))
            {
                // An earlier part of it failed in this step.
            }
            else if (mayCancel && random.Next(200) == 0)
            {
                Cancel(work.Sequence);
            }
            else
            {
                Compute(work, random);
            }
        }

        if (mayCancel && random.Next(10) == 0 && _live.Count > 0)
        {
            Cancel(_live[random.Next(_live.Count)]);
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
        RequireContent(sequence, work.FirstPosition);
        for (var position = work.FirstPosition; position < work.FirstPosition + work.Count; position++)
        {
            _arena[sequence.Extent!.Value.Start + position] = Content(sequence, position);
        }

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

    /// <summary>What is behind a work is the sequence's own, whoever computed it and whatever was evicted meanwhile.</summary>
    private void RequireContent(Sequence sequence, int positions)
    {
        for (var position = 0; position < positions; position++)
        {
            if (_arena[sequence.Extent!.Value.Start + position] != Content(sequence, position))
            {
                Assert.Fail($"Position {position} of a sequence holds somebody else's keys and values.");
            }
        }
    }

    /// <summary>The number of a position: the same for all who share a prefix.</summary>
    private int Content(Sequence sequence, int position) => sequence.Layout.PrefixKey is { } key && position < sequence.Layout.PrefixPositions
        ? (key.GetHashCode(StringComparison.Ordinal) * 31) + position
        : (_numbers[sequence] * 8191) + position;

    private void Cancel(Sequence sequence)
    {
        Finish(sequence);
        Cancelled++;
    }

    private void Finish(Sequence sequence)
    {
        _live.Remove(sequence);
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
