namespace Llava.Ledger;

/// <summary>The ledger's database does not answer, refuses this user, or is not there: nothing was read or, unless the message says so, written.</summary>
/// <param name="message">Which database, why, and what to check.</param>
/// <param name="inner">What the database or the network said.</param>
public sealed class LedgerUnreachableException(string message, Exception inner) : Exception(message, inner);
