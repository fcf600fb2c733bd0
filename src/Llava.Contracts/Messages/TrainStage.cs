namespace Llava.Contracts.Messages;

/// <summary>
/// Asks a consumer that trains to look for training runs. Only a doorbell, acknowledged at once: a run belongs to whoever claims it in the
/// ledger, for as long as the lease is renewed. A lost message costs at most a poll, a second one nothing.
/// </summary>
/// <param name="Run">The run that waits.</param>
public sealed record TrainStage(string Run);
