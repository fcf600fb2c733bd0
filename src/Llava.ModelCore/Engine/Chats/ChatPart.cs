namespace Llava.ModelCore.Engine.Chats;

/// <summary>What one answer of a chat has grown by.</summary>
/// <param name="Choice">Which of the answers, from 0.</param>
/// <param name="Text">Text that nothing can change any more; may be empty in the last part.</param>
/// <param name="Tokens">Tokens whose text this part brings; none unless they were asked for.</param>
/// <param name="Result">Where the answer ends: why, and what it took; null before.</param>
public sealed record ChatPart(int Choice, string Text, IReadOnlyList<ChatToken> Tokens, SequenceResult? Result = null);

/// <summary>A generated token with its likeliest rivals.</summary>
/// <param name="Token">The token.</param>
/// <param name="Likeliest">The model's likeliest tokens, best first; as many as were asked for.</param>
public sealed record ChatToken(TokenText Token, IReadOnlyList<TokenText> Likeliest);

/// <summary>A token as it is read.</summary>
/// <param name="Bytes">The bytes it adds to the text; they need not be whole characters.</param>
/// <param name="LogProbability">Natural log of the model's own probability for it, before any processor.</param>
public sealed record TokenText(byte[] Bytes, double LogProbability);
