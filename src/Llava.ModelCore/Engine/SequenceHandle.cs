using System.Threading.Channels;

namespace Llava.ModelCore.Engine;

/// <summary>A submitted request: its tokens as they come, and its result.</summary>
public sealed class SequenceHandle
{
    private readonly Channel<SampledToken> _tokens = Channel.CreateUnbounded<SampledToken>(new UnboundedChannelOptions { SingleWriter = true });
    private readonly TaskCompletionSource<SequenceResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal SequenceHandle()
    {
    }

    /// <summary>
    /// The result. It always completes with a value: failure and cancellation are reasons in the result, not exceptions.
    /// </summary>
    public Task<SequenceResult> Completion => _completion.Task;

    /// <summary>Generated tokens in order, as soon as each is known; ends when the sequence does. Read it once.</summary>
    public ChannelReader<SampledToken> Tokens => _tokens.Reader;

    internal Action? CancelRequested { get; set; }

    /// <summary>Asks the engine to end the sequence before its next step; nothing happens when it has ended.</summary>
    public void Cancel() => CancelRequested?.Invoke();

    internal void Push(SampledToken token) => _tokens.Writer.TryWrite(token);

    internal void Complete(SequenceResult result)
    {
        _tokens.Writer.TryComplete();
        _completion.TrySetResult(result);
    }
}
