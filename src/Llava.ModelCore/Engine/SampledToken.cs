namespace Llava.ModelCore.Engine;

/// <summary>A chosen token.</summary>
/// <param name="Id">Token id.</param>
/// <param name="LogProbability">Natural log of the model's own probability for it, before any processor.</param>
/// <param name="Likeliest">The model's likeliest tokens, best first; null where none were asked for.</param>
public readonly record struct SampledToken(int Id, float LogProbability, IReadOnlyList<TokenProbability>? Likeliest = null);

/// <summary>A token that could have been chosen.</summary>
/// <param name="Id">Token id.</param>
/// <param name="LogProbability">Natural log of the model's own probability for it, before any processor.</param>
public readonly record struct TokenProbability(int Id, float LogProbability);
