using Llava.ModelCore.Engine;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>A runner without a model, for faults and for sequences that must not end by themselves: every row samples token 7.</summary>
internal sealed class ScriptedRunner : IStepRunner
{
    private readonly SemaphoreSlim? _steps;
    private int _run;

    /// <param name="steps">Each step takes one; null lets all run.</param>
    public ScriptedRunner(SemaphoreSlim? steps = null) => _steps = steps;

    /// <summary>Called before each step with its number from 1; may throw.</summary>
    public Action<int>? BeforeStep { get; set; }

    public RowSampling.SampledRow? Sampled { get; set; }

    public bool IsDisposed { get; private set; }

    public void Run(StepPlan plan, StepOutcome outcome)
    {
        _steps?.Wait();
        BeforeStep?.Invoke(++_run);
        foreach (var work in plan.Prefills.Concat(plan.Decodes))
        {
            outcome.Works.Add(new WorkOutcome(work, work.Samples ? new SampledToken(7, -0.5f) : null));
        }
    }

    public void Dispose() => IsDisposed = true;
}
