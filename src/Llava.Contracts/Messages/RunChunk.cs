namespace Llava.Contracts.Messages;

/// <summary>
/// Asks a consumer of <paramref name="Model"/> to answer one chunk. Only a doorbell: what to do stands in the ledger,
/// so a lost message is sent again and a second one finds nothing to do.
/// </summary>
/// <param name="JobId">The job.</param>
/// <param name="ChunkNo">The chunk within the job.</param>
/// <param name="Model">Model that must answer; names the queue.</param>
/// <param name="Attempt">Attempts lost before this one. The claim holds only while the ledger still says so; above 0 the chunk runs alone, so that a crash blames the right one.</param>
/// <param name="Express">Whether it came by the express queue: its items go before those of other chunks.</param>
public sealed record RunChunk(JobId JobId, int ChunkNo, string Model, int Attempt, bool Express = false);
