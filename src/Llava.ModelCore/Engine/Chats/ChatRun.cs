using System.Threading.Channels;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Engine.Chats;

/// <summary>A chat in the running batch.</summary>
public sealed class ChatRun : IAsyncDisposable
{
    private readonly ITokenizer _tokenizer;
    private readonly PreparedChat _chat;
    private readonly List<SequenceHandle> _handles;

    internal ChatRun(ITokenizer tokenizer, PreparedChat chat, List<SequenceHandle> handles) => (_tokenizer, _chat, _handles) = (tokenizer, chat, handles);

    /// <summary>The parts of all answers, in any order among the answers. To be read once.</summary>
    /// <param name="cancellation">Stops reading; disposing the run stops generating.</param>
    /// <exception cref="SequenceFailedException">The engine failed on an answer.</exception>
    /// <exception cref="EngineStoppedException">The engine is stopping.</exception>
    public IAsyncEnumerable<ChatPart> ReadAsync(CancellationToken cancellation = default)
    {
        if (_chat.Alternatives is { } alternatives)
        {
            return new AlternativeReading(_tokenizer, _chat, alternatives).ReadAsync(_handles, cancellation);
        }

        var parts = Channel.CreateUnbounded<ChatPart>(new() { SingleReader = true });
        var pumps = _handles.Select((handle, choice) => PumpAsync(new AnswerStream(_tokenizer, _chat, choice).ReadAsync(handle), parts.Writer));
        _ = Task.WhenAll(pumps).ContinueWith(_ => parts.Writer.TryComplete(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return parts.Reader.ReadAllAsync(cancellation);
    }

    /// <summary>Ends what has not ended; slots are free when this returns.</summary>
    public async ValueTask DisposeAsync()
    {
        _handles.ForEach(handle => handle.Cancel());
        await Task.WhenAll(_handles.Select(handle => handle.Completion));
    }

    private static async Task PumpAsync(IAsyncEnumerable<ChatPart> from, ChannelWriter<ChatPart> to)
    {
        try
        {
            await foreach (var part in from)
            {
                to.TryWrite(part);
            }
        }
        catch (Exception failure)
        {
            // Nobody needs the other answers of a chat of which one failed.
            to.TryComplete(failure);
        }
    }
}
