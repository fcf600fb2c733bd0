namespace Llava.ModelCore.Engine;

/// <summary>
/// Decides what each step computes, in integers only. A sequence is admitted when a slot is free and an extent for its prompt
/// and all its new tokens fits, so nothing that runs is ever preempted. Each step decodes every running sequence and gives the
/// rest of its token budget to prompts, chunk by chunk in the order of admission.
/// </summary>
internal sealed class StepPlanner
{
    private readonly EngineOptions _options;
    private readonly ExtentAllocator _allocator;
    private readonly PrefixCache _prefixes;
    private readonly WaitingQueue _waiting = new();
    private readonly List<Sequence> _running = [];
    private readonly StepPlan _plan = new();

    /// <param name="options">Slots and budgets; <see cref="EngineOptions.Validate"/> found nothing.</param>
    /// <param name="kvPositions">Positions in the arena.</param>
    public StepPlanner(EngineOptions options, int kvPositions)
    {
        _options = options;
        _allocator = new ExtentAllocator(kvPositions);
        _prefixes = new PrefixCache(_allocator, options.PrefixCacheEntries);
    }

    /// <summary>Called with each sequence that leaves the waiting queue for a slot.</summary>
    public Action<Sequence>? Admitted { get; set; }

    public int WaitingCount => _waiting.Count;

    /// <summary>In the order of admission.</summary>
    public IReadOnlyList<Sequence> Running => _running;

    /// <summary>Positions of the arena that can be allocated.</summary>
    public int KvCapacity => _allocator.Capacity;

    /// <summary>Positions reserved by running sequences; idle prefixes are not counted, as they give way.</summary>
    public int KvReserved => _allocator.Used - _prefixes.IdlePositions;

    public void Enqueue(Sequence sequence) => _waiting.Enqueue(sequence);

    /// <summary>The next step's work; valid until the next call. Sequences' <see cref="Sequence.Computed"/> already counts it.</summary>
    public StepPlan Plan()
    {
        _plan.Clear();
        Admit();
        var budget = _options.StepTokens;
        foreach (var sequence in _running)
        {
            // One whose last token is chosen, though not read, has nothing left to compute.
            if (!sequence.IsPrefilling && sequence.Chosen < sequence.Request.Sampling.MaxNewTokens)
            {
                _plan.Decodes.Add(new StepWork(sequence, sequence.Computed, 1, Samples: true));
                sequence.Computed++;
                budget--;
            }
        }

        var decoding = _plan.Decodes.Count;
        for (var i = 0; i < _running.Count && decoding < _running.Count; i++)
        {
            budget -= PlanPrefill(_running[i], budget);
        }

        return _plan;
    }

    /// <summary>Notes that a work has been computed: if it completes a prefix, others may copy it from now on.</summary>
    public static void Confirm(StepWork work)
    {
        if (work.Sequence.Prefix is { } prefix && prefix.Builder == work.Sequence && work.FirstPosition + work.Count >= prefix.Positions)
        {
            prefix.IsReady = true;
        }
    }

    /// <summary>Takes a sequence out of the queue or its slot; false when it is in neither.</summary>
    public bool Remove(Sequence sequence)
    {
        if (_waiting.Remove(sequence))
        {
            return true;
        }

        if (!_running.Remove(sequence))
        {
            return false;
        }

        _prefixes.Release(sequence);
        sequence.Extent = null;
        return true;
    }

    private void Admit()
    {
        while (_running.Count < _options.MaxSlots && _waiting.Head is { } head)
        {
            _prefixes.Touch(head);
            if (Allocate(head.Reserved) is not { } extent)
            {
                return;
            }

            _waiting.Dequeue();
            head.Extent = extent;
            _running.Add(head);
            Admitted?.Invoke(head);
        }
    }

    private Extent? Allocate(int positions)
    {
        Extent? extent;
        do
        {
            extent = _allocator.TryAllocate(positions);
        }
        while (extent is null && _prefixes.TryEvict());
        return extent;
    }

    /// <summary>Adds chunks of one prompt while they fit; returns the tokens planned.</summary>
    private int PlanPrefill(Sequence sequence, int budget)
    {
        if (!sequence.IsPrefilling || !HasPrefix(sequence))
        {
            return 0;
        }

        var planned = 0;
        while (sequence.IsPrefilling && sequence.NextChunk(_options.ChunkTokens) is var count && planned + count <= budget)
        {
            var first = sequence.Computed;
            sequence.Computed += count;
            planned += count;
            _plan.Prefills.Add(new StepWork(sequence, first, count, Samples: !sequence.IsPrefilling));
        }

        return planned;
    }

    /// <summary>Whether the sequence can go on: it needs no prefix, builds it itself, or has just been given a copy.</summary>
    private bool HasPrefix(Sequence sequence)
    {
        if (sequence.Computed > 0 || sequence.Layout.PrefixKey is null || _options.PrefixCacheEntries == 0)
        {
            return true;
        }

        var prefix = _prefixes.FindOrBegin(sequence);
        sequence.Prefix = prefix;
        if (prefix.IsReady)
        {
            _plan.Copies.Add(new PrefixCopy(sequence, prefix.Extent.Start, sequence.Extent!.Value.Start, prefix.Positions));
            sequence.Computed = sequence.CachedPositions = prefix.Positions;
        }

        return prefix.IsReady || prefix.Builder == sequence;
    }
}
