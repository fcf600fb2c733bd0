using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Llava.Contracts.Interactive;

namespace Llava.Dashboard.Tests.OpenAi.Chat;

/// <summary>Models that say what a test tells them to.</summary>
internal sealed class ScriptedInteractive : IInteractiveModels
{
    /// <summary>What was asked, the last first.</summary>
    public ChatRequest Asked { get; private set; } = null!;

    /// <summary>What happens to a chat; null waits for <see cref="Said"/>.</summary>
    public IReadOnlyList<ChatEvent>? Events { get; set; } =
    [
        new ChatStarted("r1"), new ChatText(0, "A circle"), new ChatText(0, " — blau."), new ChatAnswered(0, "stop"), new ChatEnded(new(105, 64, 40, 17)),
    ];

    /// <summary>Events that a test says one by one.</summary>
    public Channel<ChatEvent> Said { get; } = Channel.CreateUnbounded<ChatEvent>();

    /// <summary>Completes when a chat was given up by whoever asked.</summary>
    public TaskCompletionSource GivenUp { get; } = new();

    public Func<EmbeddingRequest, EmbeddingAnswer> Embed { get; set; } = request => new([.. request.Images.Select(_ => new[] { 0.6f, -0.8f })], 64);

    public async IAsyncEnumerable<ChatEvent> ChatAsync(ChatRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        Asked = request;
        try
        {
            await foreach (var said in Events?.ToAsyncEnumerable() ?? Said.Reader.ReadAllAsync(cancellation))
            {
                yield return said is ChatFailed failed ? throw new InteractiveException(failed.Error) : said;
            }
        }
        finally
        {
            // Not a callback of the token: whoever writes to the caller may see the token first, and leaves this without it.
            if (cancellation.IsCancellationRequested)
            {
                GivenUp.TrySetResult();
            }
        }
    }

    public Task<EmbeddingAnswer> EmbedAsync(EmbeddingRequest request, CancellationToken cancellation) => Task.FromResult(Embed(request));
}
