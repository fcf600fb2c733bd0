using System.Threading.Channels;

namespace Llava.Ledger.Storage;

/// <summary>Work that waits at the same moment shares one commit: many callers hand it in, one task commits for all of them.</summary>
/// <typeparam name="TWork">What is handed in.</typeparam>
/// <typeparam name="TAnswer">What the commit says of each.</typeparam>
internal sealed class GroupCommit<TWork, TAnswer> : IAsyncDisposable
{
    private readonly Func<IReadOnlyList<TWork>, Task<IReadOnlyList<TAnswer>>> _commit;
    private readonly Func<TWork, int> _rowsOf;
    private readonly int _mostRows;
    private readonly Channel<Waiting> _waiting = Channel.CreateUnbounded<Waiting>(new() { SingleReader = true });
    private readonly Task _loop;

    /// <param name="commit">Commits a group and answers for each of it, in order. When it throws, every caller of the group hears of it.</param>
    /// <param name="rowsOf">Rows that a piece of work touches.</param>
    /// <param name="mostRows">Rows after which a group is closed.</param>
    public GroupCommit(Func<IReadOnlyList<TWork>, Task<IReadOnlyList<TAnswer>>> commit, Func<TWork, int> rowsOf, int mostRows)
    {
        (_commit, _rowsOf, _mostRows) = (commit, rowsOf, mostRows);
        _loop = Task.Run(CommitLoopAsync);
    }

    /// <summary>Hands work in; the task ends once it is committed.</summary>
    /// <param name="work">The work.</param>
    /// <param name="cancellation">Takes it back as long as its commit has not begun; after that the answer comes.</param>
    public Task<TAnswer> AddAsync(TWork work, CancellationToken cancellation = default)
    {
        Waiting waiting = new(work, cancellation);
        return _waiting.Writer.TryWrite(waiting) ? waiting.Answer.Task : throw new ObjectDisposedException(GetType().Name);
    }

    /// <summary>Commits what was handed in and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _loop;
    }

    private async Task CommitLoopAsync()
    {
        List<Waiting> group = [];
        while (await _waiting.Reader.WaitToReadAsync())
        {
            TakeGroup(group);
            try
            {
                IReadOnlyList<TAnswer> answers = group.Count == 0 ? [] : await _commit([.. group.Select(waiting => waiting.Work)]);
                for (var place = 0; place < group.Count; place++)
                {
                    group[place].Answer.SetResult(answers[place]);
                }
            }
            catch (Exception failure)
            {
                // Whoever handed the work in decides whether to try again.
                group.ForEach(waiting => waiting.Answer.TrySetException(failure));
            }

            group.Clear();
        }
    }

    private void TakeGroup(List<Waiting> group)
    {
        for (var rows = 0; rows < _mostRows && _waiting.Reader.TryRead(out var waiting);)
        {
            if (waiting.Cancellation.IsCancellationRequested)
            {
                waiting.Answer.SetCanceled(waiting.Cancellation);
                continue;
            }

            group.Add(waiting);
            rows += _rowsOf(waiting.Work);
        }
    }

    private sealed record Waiting(TWork Work, CancellationToken Cancellation)
    {
        public TaskCompletionSource<TAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
