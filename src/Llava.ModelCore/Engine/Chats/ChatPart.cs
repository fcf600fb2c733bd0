using Llava.ModelCore.Engine.Alternatives;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Engine.Chats;

/// <summary>What one answer of a chat has grown by.</summary>
/// <param name="Choice">Which of the answers, from 0.</param>
/// <param name="Text">Text that nothing can change any more; may be empty in the last part.</param>
/// <param name="Tokens">Tokens whose text this part brings; none unless they were asked for.</param>
/// <param name="Result">Where the answer ends: why, and what it took; null before.</param>
/// <param name="Alternatives">Where the answer ends: what the model thinks of each of the answers there are; null where any would do.</param>
public sealed record ChatPart(int Choice, string Text, IReadOnlyList<ChatToken> Tokens, SequenceResult? Result = null, IReadOnlyList<Alternative>? Alternatives = null);

/// <summary>A generated token with its likeliest rivals.</summary>
/// <param name="Token">The token.</param>
/// <param name="Likeliest">The model's likeliest tokens, best first; as many as were asked for.</param>
public sealed record ChatToken(TokenText Token, IReadOnlyList<TokenText> Likeliest)
{
    internal static ChatToken Of(SampledToken token, ITokenizer tokenizer)
    {
        return new(Text(new(token.Id, token.LogProbability)), [.. (token.Likeliest ?? []).Select(Text)]);

        TokenText Text(TokenProbability one) => new(tokenizer.BytesOf(one.Id), one.LogProbability);
    }
}

/// <summary>A token as it is read.</summary>
/// <param name="Bytes">The bytes it adds to the text; they need not be whole characters.</param>
/// <param name="LogProbability">Natural log of the model's own probability for it, before any processor.</param>
public sealed record TokenText(byte[] Bytes, double LogProbability);
