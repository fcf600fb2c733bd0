namespace Llava.Ledger.Storage;

/// <summary>A write that waits for its turn and then for the commit.</summary>
internal abstract class PendingWrite
{
    // Writes run on a thread of their own, and yet as those who asked for them: in their activity, by their actor.
    private readonly ExecutionContext? _asked = ExecutionContext.Capture();

    /// <summary>Runs the write; false when it threw and must be undone.</summary>
    public Task<bool> RunAsync(LedgerSession session)
    {
        if (_asked is null)
        {
            return TryAsync(session);
        }

        Task<bool>? running = null;
        ExecutionContext.Run(_asked, _ => running = TryAsync(session), null);
        return running!;
    }

    /// <summary>Tells the caller, after the commit, what the write returned or threw.</summary>
    public abstract void Complete();

    /// <summary>Tells the caller that the commit failed.</summary>
    public abstract void Fail(Exception failure);

    /// <inheritdoc cref="RunAsync"/>
    protected abstract Task<bool> TryAsync(LedgerSession session);
}

/// <inheritdoc/>
internal sealed class PendingWrite<T>(Func<LedgerSession, CancellationToken, Task<T>> write, CancellationToken cancellation) : PendingWrite
{
    private readonly TaskCompletionSource<T> _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;
    private Exception? _failure;

    public Task<T> Committed => _committed.Task;

    public override void Complete()
    {
        if (_failure is OperationCanceledException)
        {
            _committed.TrySetCanceled(cancellation);
        }
        else if (_failure is not null)
        {
            _committed.TrySetException(_failure);
        }
        else
        {
            _committed.TrySetResult(_result!);
        }
    }

    public override void Fail(Exception failure) => _committed.TrySetException(failure);

    /// <inheritdoc/>
    protected override async Task<bool> TryAsync(LedgerSession session)
    {
        try
        {
            cancellation.ThrowIfCancellationRequested();
            _result = await write(session, cancellation);
            return true;
        }
        catch (Exception failure)
        {
            _failure = failure;
            return false;
        }
    }
}
