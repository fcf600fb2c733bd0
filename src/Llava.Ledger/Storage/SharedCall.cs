using System.Threading.Channels;

namespace Llava.Ledger.Storage;

/// <summary>Work that waits at the same moment shares one commit, or one query: many callers hand it in, one task asks for all of them.</summary>
/// <typeparam name="TWork">What is handed in.</typeparam>
/// <typeparam name="TAnswer">What the call says of each.</typeparam>
internal sealed class SharedCall<TWork, TAnswer> : IAsyncDisposable
{
    private readonly Func<IReadOnlyList<TWork>, Task<IReadOnlyList<TAnswer>>> _call;
    private readonly Func<TWork, int> _rowsOf;
    private readonly int _mostRows;
    private readonly Channel<Waiting> _waiting = Channel.CreateUnbounded<Waiting>(new() { SingleReader = true });
    private readonly Task _loop;

    /// <param name="call">Does the work of a group and answers for each of it, in order. When it throws, every caller of the group hears of it.</param>
    /// <param name="rowsOf">Rows that a piece of work touches.</param>
    /// <param name="mostRows">Rows after which a group is closed.</param>
    public SharedCall(Func<IReadOnlyList<TWork>, Task<IReadOnlyList<TAnswer>>> call, Func<TWork, int> rowsOf, int mostRows)
    {
        (_call, _rowsOf, _mostRows) = (call, rowsOf, mostRows);
        _loop = Task.Run(CallLoopAsync);
    }

    /// <summary>Hands work in; the task ends once it is done.</summary>
    /// <param name="work">The work.</param>
    /// <param name="cancellation">Takes it back as long as its call has not begun; after that the answer comes.</param>
    public Task<TAnswer> AddAsync(TWork work, CancellationToken cancellation = default)
    {
        Waiting waiting = new(work, cancellation);
        return _waiting.Writer.TryWrite(waiting) ? waiting.Answer.Task : throw new ObjectDisposedException(GetType().Name);
    }

    /// <summary>Does what was handed in and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _loop;
    }

    private async Task CallLoopAsync()
    {
        List<Waiting> group = [];
        while (await _waiting.Reader.WaitToReadAsync())
        {
            TakeGroup(group);
            try
            {
                IReadOnlyList<TAnswer> answers = group.Count == 0 ? [] : await _call([.. group.Select(waiting => waiting.Work)]);
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
