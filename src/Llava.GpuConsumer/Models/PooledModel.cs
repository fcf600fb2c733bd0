using Llava.GpuConsumer.Runners;
using Llava.Ledger.Workers;
using Llava.ModelCore.Engine;

namespace Llava.GpuConsumer.Models;

/// <summary>One model of a pool and who uses it. The pool's lock guards it; times count from the pool's start.</summary>
internal sealed class PooledModel(string name)
{
    private readonly Queue<TaskCompletionSource<PooledModel>> _waiting = new();

    public string Name { get; } = name;

    public ModelState State { get; private set; } = ModelState.Unloaded;

    /// <summary>What its headers say; null until they were read.</summary>
    public ModelDescription? Description { get; private set; }

    public IItemRunner? Runner { get; private set; }

    /// <summary>Memory it takes, or would take.</summary>
    public long Bytes => Math.Max(Description?.MemoryBytes ?? 0, Runner?.MemoryBytes ?? 0);

    /// <summary>Schemes with which it would take less.</summary>
    public IReadOnlyList<SmallerScheme> Smaller => Description?.Smaller ?? [];

    /// <summary>Chunks that are being answered.</summary>
    public int Users { get; private set; }

    public TimeSpan LoadedAt { get; private set; }

    public TimeSpan LastUsedAt { get; private set; }

    /// <summary>Since when somebody waits for it; null when nobody does.</summary>
    public TimeSpan? WaitingSince { get; private set; }

    /// <summary>Whether it makes way for another: what is begun goes on, nothing is begun.</summary>
    public bool IsLeaving { get; set; }

    /// <summary>Whether it is not announced yet: it came while the worker runs, and its queues are not there yet.</summary>
    public bool IsHidden { get; set; }

    /// <summary>Whether it is gone for good: nobody is let in, and it leaves once nothing uses it.</summary>
    public bool IsRetired { get; set; }

    /// <summary>Whether it was to be loaded at the start.</summary>
    public bool IsPreloaded { get; set; }

    /// <summary>Whether it has answered the question that it is tried out with.</summary>
    public bool IsTriedOut { get; private set; }

    /// <summary>What it answered then.</summary>
    public ItemAnswer? Trial { get; private set; }

    /// <summary>Why the last attempt to load it failed.</summary>
    public string? Failure { get; private set; }

    public TimeSpan FailedAt { get; private set; }

    /// <summary>Takes what its headers say; a model that had failed may be tried again.</summary>
    public void Describe(ModelDescription description)
    {
        Description = description;
        State = State == ModelState.Failed ? ModelState.Unloaded : State;
    }

    public void BeginLoading() => State = ModelState.Loading;

    public void Loaded(IItemRunner runner, ItemAnswer? trial, TimeSpan now)
    {
        (State, Runner, Trial, IsTriedOut, Failure) = (ModelState.Loaded, runner, trial, true, null);
        LoadedAt = LastUsedAt = now;
    }

    public void Unloaded() => (State, Runner, IsLeaving) = (ModelState.Unloaded, null, false);

    /// <summary>Notes why it cannot be used, and tells those that wait.</summary>
    public void Failed(Exception failure, TimeSpan now)
    {
        (State, Runner, IsTriedOut, Failure, FailedAt) = (ModelState.Failed, null, false, failure.Message, now);
        Dismiss(waiting => waiting.TrySetException(new ModelUnavailableException(Name, failure.Message, failure)));
    }

    /// <summary>A place in the queue of those that want to use it.</summary>
    public TaskCompletionSource<PooledModel> Wait(TimeSpan now)
    {
        TaskCompletionSource<PooledModel> place = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Enqueue(place);
        WaitingSince ??= now;
        return place;
    }

    /// <summary>Forgets those that gave up waiting.</summary>
    public void Prune()
    {
        while (_waiting.TryPeek(out var first) && first.Task.IsCompleted)
        {
            _waiting.Dequeue();
        }

        WaitingSince = _waiting.Count == 0 ? null : WaitingSince;
    }

    /// <summary>Lets everybody in who waits.</summary>
    public void Admit() => Dismiss(waiting => Users += waiting.TrySetResult(this) ? 1 : 0);

    /// <summary>Sends everybody away who waits.</summary>
    public void Cancel() => Dismiss(waiting => waiting.TrySetCanceled());

    public void BeginUse() => Users++;

    public void EndUse(TimeSpan now)
    {
        Users--;
        LastUsedAt = now;
    }

    private void Dismiss(Action<TaskCompletionSource<PooledModel>> how)
    {
        while (_waiting.TryDequeue(out var waiting))
        {
            how(waiting);
        }

        WaitingSince = null;
    }
}
