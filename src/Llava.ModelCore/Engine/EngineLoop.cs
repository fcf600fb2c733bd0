namespace Llava.ModelCore.Engine;

/// <summary>Plan → run → apply, on whichever one thread calls it.</summary>
internal sealed class EngineLoop : IDisposable
{
    private readonly StepPlanner _planner;
    private readonly IStepRunner _runner;
    private readonly TimeProvider _time;
    private readonly StepOutcome _outcome = new();
    private readonly HashSet<Sequence> _live = [];
    private readonly Lock _gate = new();
    private EngineStatistics _statistics;
    private long _progressAt;
    private int _urgent;

    /// <param name="planner">Plans in integers.</param>
    /// <param name="runner">Computes; disposed with the loop.</param>
    /// <param name="slots">Sequences that may run, for the statistics.</param>
    /// <param name="time">Clock of the sequences' timings.</param>
    public EngineLoop(StepPlanner planner, IStepRunner runner, int slots, TimeProvider time)
    {
        (_planner, _runner, _time) = (planner, runner, time);
        _statistics = new EngineStatistics { Slots = slots };
        _progressAt = time.GetTimestamp();
        planner.Admitted = OnAdmitted;
    }

    /// <summary>Called when a sequence stops waiting: it was admitted, or ended before it could be.</summary>
    public Action<Sequence>? LeftQueue { get; set; }

    /// <summary>Sequences that have not ended.</summary>
    public int LiveCount => _live.Count;

    /// <summary>A snapshot; any thread may ask.</summary>
    public EngineStatistics Statistics
    {
        get
        {
            lock (_gate)
            {
                return _statistics;
            }
        }
    }

    /// <summary>How long there has been work and no step; zero while there is none. Any thread may ask.</summary>
    public TimeSpan TimeWithoutStep
    {
        get
        {
            lock (_gate)
            {
                return _statistics.Waiting + _statistics.Running == 0 ? TimeSpan.Zero : _time.GetElapsedTime(_progressAt);
            }
        }
    }

    public void Enqueue(Sequence sequence)
    {
        _live.Add(sequence);
        _urgent += UrgentOf(sequence);
        _planner.Enqueue(sequence);
        Publish(s => s);
    }

    /// <summary>Runs one step; false when there was nothing to do.</summary>
    public bool Step()
    {
        var plan = _planner.Plan();
        if (plan.IsEmpty && !_runner.IsBehind)
        {
            return false;
        }

        _outcome.Clear();
        try
        {
            if (plan.IsEmpty)
            {
                _runner.CatchUp(_outcome);
            }
            else
            {
                _runner.Run(plan, _outcome);
            }
        }
        catch (Exception e)
        {
            // The step as a whole failed: everyone in it ends with an error, the others and the engine go on.
            FailAll(plan, e);
            Publish(s => s with { Steps = s.Steps + 1 });
            return true;
        }

        Apply(plan);
        return true;
    }

    /// <summary>Ends a sequence; nothing happens when it has ended.</summary>
    public void Finish(Sequence sequence, FinishReason reason, Exception? error = null)
    {
        if (!_live.Remove(sequence))
        {
            return;
        }

        _urgent -= UrgentOf(sequence);
        _planner.Remove(sequence);
        if (sequence.AdmittedAt is null)
        {
            LeftQueue?.Invoke(sequence);
        }

        Publish(s => s with { Finished = s.Finished + 1, Failed = s.Failed + (error is null ? 0 : 1) });
        sequence.Handle.Complete(sequence.Result(reason, Typed(error), _time));
    }

    /// <summary>Ends all sequences, or only those that wait.</summary>
    public void FinishAll(FinishReason reason, bool waitingOnly = false, Exception? error = null)
    {
        foreach (var sequence in _live.Where(s => !waitingOnly || s.AdmittedAt is null).ToArray())
        {
            Finish(sequence, reason, error);
        }
    }

    /// <summary>Completes everything without touching the plan: the last resort after a defect in the engine itself.</summary>
    public void Abandon(Exception error)
    {
        foreach (var sequence in _live)
        {
            sequence.Handle.Complete(sequence.Result(FinishReason.Error, Typed(error), _time));
        }

        _live.Clear();
    }

    /// <summary>Has the logits of every row that samples from now on, on the thread of the steps.</summary>
    public RowSampling.SampledRow? Sampled
    {
        set => _runner.Sampled = value;
    }

    /// <inheritdoc cref="IStepRunner.Embed"/>
    public float[] Embed(ImageInput image) => _runner.Embed(image);

    public void Dispose() => _runner.Dispose();

    private static int UrgentOf(Sequence sequence) => sequence.Request.Priority == RequestPriority.Bulk ? 0 : 1;

    private static SequenceFailedException? Typed(Exception? error) => error switch
    {
        null => null,
        SequenceFailedException typed => typed,
        LlavaException { IsRetryable: false } refused => new SequenceFailedException(refused.Message, isRetryable: false, refused),
        _ => new SequenceFailedException($"A step failed for this sequence: {error.Message}", isRetryable: true, error),
    };

    private void Apply(StepPlan plan)
    {
        foreach (var (work, token, error) in _outcome.Works)
        {
            if (error is not null)
            {
                Finish(work.Sequence, FinishReason.Error, error);
            }
            else if (_live.Contains(work.Sequence))
            {
                StepPlanner.Confirm(work);
                Accept(work.Sequence, token);
            }
        }

        Publish(s => s with
        {
            Steps = s.Steps + (plan.IsEmpty ? 0 : 1),
            PrefillTokens = s.PrefillTokens + plan.TokenCount - plan.Decodes.Count,
            DecodeTokens = s.DecodeTokens + plan.Decodes.Count,
            CachedTokens = s.CachedTokens + plan.Copies.Sum(copy => copy.Count),
            PrefixHits = s.PrefixHits + plan.Copies.Count,
            PrefillTime = s.PrefillTime + _outcome.PrefillTime,
            DecodeTime = s.DecodeTime + _outcome.DecodeTime,
            DecodeSteps = s.DecodeSteps + (plan.Decodes.Count > 0 ? 1 : 0),
            ImagesEncoded = s.ImagesEncoded + _outcome.ImagesEncoded,
            FeatureHits = s.FeatureHits + _outcome.FeatureHits,
        });
    }

    private void Accept(Sequence sequence, SampledToken? token)
    {
        if (token is not { } sampled)
        {
            return;
        }

        sequence.FirstTokenAt ??= _time.GetTimestamp();
        sequence.Append(sampled);
        sequence.Handle.Push(sampled);
        try
        {
            if (Ends(sequence.Request, sampled.Id))
            {
                Finish(sequence, FinishReason.Stop);
            }
            else if (sequence.Generated.Length == sequence.Request.Sampling.MaxNewTokens)
            {
                Finish(sequence, FinishReason.Length);
            }
        }
        catch (Exception e)
        {
            // A stop condition is the submitter's code; it can only end its own sequence.
            Finish(sequence, FinishReason.Error, e);
        }
    }

    private static bool Ends(SequenceRequest request, int token)
    {
        if (request.Sampling.StopTokens.Contains(token))
        {
            return true;
        }

        request.Constraint?.Accept(token);
        return request.StopCondition?.ShouldStop(token) == true || request.Constraint is { IsFinished: true };
    }

    private void FailAll(StepPlan plan, Exception error)
    {
        var affected = plan.Prefills.Concat(plan.Decodes).Select(work => work.Sequence).Concat(plan.Copies.Select(copy => copy.Sequence)).Concat(_planner.Running.Where(sequence => sequence.Unread > 0));
        foreach (var sequence in affected.Distinct().ToArray())
        {
            Finish(sequence, FinishReason.Error, error);
        }
    }

    private void OnAdmitted(Sequence sequence)
    {
        sequence.AdmittedAt = _time.GetTimestamp();
        LeftQueue?.Invoke(sequence);
        Publish(s => s);
    }

    private void Publish(Func<EngineStatistics, EngineStatistics> change)
    {
        lock (_gate)
        {
            var before = _statistics;
            _statistics = change(before) with
            {
                Waiting = _planner.WaitingCount,
                Running = _planner.Running.Count,
                Urgent = _urgent,
                Notice = _runner.Notice,
                KvUsage = (double)_planner.KvReserved / _planner.KvCapacity,
            };
            if (_statistics.Steps > before.Steps || before.Waiting + before.Running == 0)
            {
                _progressAt = _time.GetTimestamp();
            }
        }
    }
}
