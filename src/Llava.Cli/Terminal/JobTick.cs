namespace Llava.Cli.Terminal;

/// <summary>How far a job is at one moment.</summary>
/// <param name="Done">Items with a result.</param>
/// <param name="Failed">Of these, how many failed.</param>
/// <param name="Total">Items known so far.</param>
/// <param name="Tokens">Tokens generated so far.</param>
/// <param name="IsBeingRead">Whether more items are still to be read.</param>
internal readonly record struct JobTick(long Done, long Failed, long Total, long Tokens, bool IsBeingRead = false);
