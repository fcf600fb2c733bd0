namespace Llava.Ledger.Scores;

/// <summary>The right answer to an item.</summary>
/// <param name="ItemNo">The item.</param>
/// <param name="Text">What is right.</param>
internal sealed record ExpectedAnswer(int ItemNo, string Text);
