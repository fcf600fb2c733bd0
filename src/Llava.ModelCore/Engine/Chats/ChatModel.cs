using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Engine.Chats;

/// <summary>Answers conversations in the running batch, ahead of jobs (<see cref="RequestPriority.Interactive"/>).</summary>
public sealed class ChatModel
{
    private readonly ITokenizer _tokenizer;
    private readonly ChatPreparation _preparation;
    private readonly LlavaEngine _engine;

    internal ChatModel(LlavaConfig config, ITokenizer tokenizer, QuestionPreparation questions, LlavaEngine engine) =>
        (_tokenizer, _preparation, _engine) = (tokenizer, new ChatPreparation(config, tokenizer, questions, engine), engine);

    /// <summary>Decodes, resizes and tokenizes on the calling thread; several may do so at the same time.</summary>
    /// <exception cref="ImageException">An image cannot be used.</exception>
    /// <exception cref="PromptException">The template cannot express the conversation.</exception>
    /// <exception cref="RequestRefusedException">The model sees no images, or a setting is out of its range.</exception>
    public PreparedChat Prepare(ChatPrompt chat) => _preparation.Prepare(chat);

    /// <summary>Generates the answers. Their parts come in any order among the answers; whoever stops reading, or cancels, ends them all.</summary>
    /// <exception cref="RequestRefusedException">The prompt is longer than the context.</exception>
    /// <exception cref="EngineBusyException">Too many interactive requests wait.</exception>
    /// <exception cref="SequenceFailedException">The engine failed on one of them.</exception>
    /// <exception cref="EngineStoppedException">The engine is stopping.</exception>
    public async IAsyncEnumerable<ChatPart> RunAsync(PreparedChat chat, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        List<SequenceHandle> handles = [];
        try
        {
            Submit(chat, handles, cancellation);
            await foreach (var part in Merge(chat, handles).ReadAllAsync(cancellation))
            {
                yield return part;
            }
        }
        finally
        {
            // Cancelling what has ended does nothing. Slots are free when this returns.
            handles.ForEach(handle => handle.Cancel());
            await Task.WhenAll(handles.Select(handle => handle.Completion));
        }
    }

    /// <summary>Whoever is waited for by a person is told that the queue is full, and does not wait for room in it.</summary>
    private void Submit(PreparedChat chat, List<SequenceHandle> handles, CancellationToken cancellation)
    {
        while (handles.Count < chat.Choices)
        {
            handles.Add(_engine.Submit(Request(chat, handles.Count), cancellation));
        }
    }

    private SequenceRequest Request(PreparedChat chat, int choice) => chat.Request with
    {
        StopCondition = new AnswerText(_tokenizer, chat.Stops),
        Sampling = chat.Request.Sampling with { Seed = chat.Request.Sampling.Seed + choice },
    };

    private ChannelReader<ChatPart> Merge(PreparedChat chat, List<SequenceHandle> handles)
    {
        var parts = Channel.CreateUnbounded<ChatPart>(new() { SingleReader = true });
        var pumps = handles.Select((handle, choice) => PumpAsync(new AnswerStream(_tokenizer, chat, choice).ReadAsync(handle), parts.Writer));
        _ = Task.WhenAll(pumps).ContinueWith(
            all => parts.Writer.TryComplete(all.Exception?.InnerException), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return parts.Reader;
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
