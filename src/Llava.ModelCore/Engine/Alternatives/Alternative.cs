namespace Llava.ModelCore.Engine.Alternatives;

/// <summary>One of the answers there are, and what the model thinks of it.</summary>
/// <param name="Text">The answer.</param>
/// <param name="LogProbability">Natural log of the probability that the model answers exactly this.</param>
/// <param name="Probability">Its share among all alternatives, at the temperature at which the checkpoint says that they can be believed; they add up to 1.</param>
public sealed record Alternative(string Text, double LogProbability, double Probability);
