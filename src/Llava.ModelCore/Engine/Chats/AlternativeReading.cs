using System.Runtime.CompilerServices;
using Llava.ModelCore.Engine.Alternatives;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Engine.Chats;

/// <summary>Reads the scores of the answers there are, and gives each answer of the chat whole: one of them.</summary>
internal sealed class AlternativeReading(ITokenizer tokenizer, PreparedChat chat, AlternativeSet alternatives)
{
    /// <summary>One part for each answer.</summary>
    /// <exception cref="SequenceFailedException">The engine failed on one of the alternatives.</exception>
    /// <exception cref="EngineStoppedException">The engine stopped, or nobody waits any more.</exception>
    public async IAsyncEnumerable<ChatPart> ReadAsync(IReadOnlyList<SequenceHandle> handles, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var results = await Task.WhenAll(handles.Select(handle => handle.Completion)).WaitAsync(cancellation);
        if (Array.Find(results, result => result.Error is not null) is { } failed)
        {
            throw failed.Error!;
        }

        if (Array.Exists(results, result => result.Reason == FinishReason.Cancelled))
        {
            throw new EngineStoppedException("The choices were cancelled before they were scored: nobody waits for them, or the engine is stopping.");
        }

        var scores = alternatives.Scores(results);
        var tokens = handles.Select(handle => chat.ReportsTokens ? Tokens(handle) : []).ToArray();
        for (var choice = 0; choice < chat.Choices; choice++)
        {
            var chosen = AlternativeSet.Choose(scores, chat.Request.Sampling, choice);
            yield return new(choice, scores[chosen].Text, tokens[chosen], results[chosen] with { Reason = FinishReason.Stop }, scores);
        }
    }

    private List<ChatToken> Tokens(SequenceHandle handle)
    {
        List<ChatToken> tokens = [];
        while (handle.Tokens.TryRead(out var token))
        {
            // What ends the answer is no part of it.
            if (!chat.Request.Sampling.StopTokens.Contains(token.Id))
            {
                tokens.Add(ChatToken.Of(token, tokenizer));
            }
        }

        return tokens;
    }
}
