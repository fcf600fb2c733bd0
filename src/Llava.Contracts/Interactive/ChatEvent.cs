using System.Text.Json.Serialization;

namespace Llava.Contracts.Interactive;

/// <summary>
/// What happens to a chat, in order: <see cref="ChatStarted"/>, parts and ends of its answers, <see cref="ChatEnded"/>. On the wire one JSON text per
/// line; a line <see cref="ChatFailed"/> ends it early, a line <see cref="ChatPing"/> only says that somebody is there.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ChatStarted), "started")]
[JsonDerivedType(typeof(ChatText), "text")]
[JsonDerivedType(typeof(ChatAnswered), "answered")]
[JsonDerivedType(typeof(ChatEnded), "ended")]
[JsonDerivedType(typeof(ChatFailed), "failed")]
[JsonDerivedType(typeof(ChatPing), "ping")]
public abstract record ChatEvent;

/// <summary>The engine has taken the chat; from here on it can only fail, not be refused.</summary>
/// <param name="Revision">Revision of the weights that answer.</param>
public sealed record ChatStarted(string Revision) : ChatEvent;

/// <summary>One answer grew.</summary>
/// <param name="Choice">Which, from 0.</param>
/// <param name="Text">Whole characters that nothing changes any more.</param>
/// <param name="Tokens">The tokens that the text came from; null unless asked for.</param>
public sealed record ChatText(int Choice, string Text, IReadOnlyList<ChatToken>? Tokens = null) : ChatEvent;

/// <summary>One answer is complete.</summary>
/// <param name="Choice">Which, from 0.</param>
/// <param name="FinishReason"><c>stop</c> or <c>length</c>.</param>
/// <param name="Alternatives">What the model thinks of each of the answers there are; null where any would do.</param>
public sealed record ChatAnswered(int Choice, string FinishReason, IReadOnlyList<ChatAlternative>? Alternatives = null) : ChatEvent;

/// <summary>One of the answers there are.</summary>
/// <param name="Text">The answer.</param>
/// <param name="LogProbability">Natural log of the probability that the model answers exactly this.</param>
/// <param name="Probability">Its share among all alternatives.</param>
public sealed record ChatAlternative(string Text, double LogProbability, double Probability);

/// <summary>All answers are complete.</summary>
/// <param name="Usage">What they took.</param>
public sealed record ChatEnded(ChatUsage Usage) : ChatEvent;

/// <summary>The chat came to nothing. Only on the wire; in a process it is an <see cref="InteractiveException"/>.</summary>
/// <param name="Error">Why.</param>
public sealed record ChatFailed(InteractiveError Error) : ChatEvent;

/// <summary>Somebody is there. Only on the wire.</summary>
public sealed record ChatPing : ChatEvent;

/// <summary>A generated token and its rivals.</summary>
/// <param name="Bytes">What it adds to the text; need not be whole characters.</param>
/// <param name="LogProbability">Natural log of the model's own probability for it.</param>
/// <param name="Top">The likeliest tokens, best first; null inside such a list.</param>
public sealed record ChatToken(byte[] Bytes, double LogProbability, IReadOnlyList<ChatToken>? Top = null);

/// <summary>Tokens of a chat.</summary>
/// <param name="PromptTokens">Positions of the prompt, image features included; counted once, however many answers there are.</param>
/// <param name="ImageTokens">Those of them that are image features.</param>
/// <param name="CachedTokens">Those of them that the first answer did not have to compute, as another prompt had the same beginning.</param>
/// <param name="CompletionTokens">Generated tokens of all answers.</param>
public sealed record ChatUsage(int PromptTokens, int ImageTokens, int CachedTokens, int CompletionTokens);
