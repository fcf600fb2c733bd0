using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Engine.Chats;

/// <summary>
/// Reads one sequence as text that can be shown at once: whole characters, no part of a stop string, no white space around the answer. The parts
/// together are what <see cref="AnswerText"/> gives in the end.
/// </summary>
internal sealed class AnswerStream(ITokenizer tokenizer, PreparedChat chat, int choice)
{
    private readonly StreamingText _text = chat.Form.StartText();
    private readonly TrimmedText _trimmed = new();
    // Tokens whose text is not shown yet, where anybody wants to see them.
    private readonly List<SampledToken> _held = [];

    /// <summary>The answer's parts; the last has its result.</summary>
    /// <exception cref="SequenceFailedException">The engine failed on it.</exception>
    /// <exception cref="EngineStoppedException">The engine stopped, or the sequence was cancelled.</exception>
    public async IAsyncEnumerable<ChatPart> ReadAsync(SequenceHandle handle)
    {
        await foreach (var token in handle.Tokens.ReadAllAsync())
        {
            if (Push(token) is { Length: > 0 } shown)
            {
                yield return new(choice, shown, TakeTokens());
            }
        }

        var result = await handle.Completion;
        yield return result.Reason switch
        {
            FinishReason.Error => throw result.Error!,
            FinishReason.Cancelled => throw new EngineStoppedException("The answer was cancelled before its end: nobody waits for it, or the engine is stopping."),
            _ => End(result),
        };
    }

    private string Push(SampledToken token)
    {
        if (chat.Request.Sampling.StopTokens.Contains(token.Id))
        {
            return "";
        }

        if (chat.ReportsTokens)
        {
            _held.Add(token);
        }

        return Shown(_text.Push(token.Id));
    }

    private ChatPart End(SequenceResult result)
    {
        // What is held back at a stop string belongs to it.
        if (_text.IsStopped)
        {
            _held.Clear();
        }

        return new(choice, Shown(_text.Finish()), TakeTokens(), result);
    }

    private string Shown(string text) => chat.Form.IsBound ? text : _trimmed.Push(text);

    private List<ChatToken> TakeTokens()
    {
        List<ChatToken> tokens = [.. _held.Select(token => ChatToken.Of(token, tokenizer))];
        _held.Clear();
        return tokens;
    }
}
