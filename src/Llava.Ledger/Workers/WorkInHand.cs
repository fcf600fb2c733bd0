using Llava.Contracts;

namespace Llava.Ledger.Workers;

/// <summary>What a worker has in hand of one job.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="Job">The job.</param>
/// <param name="Tenant">Whose job it is.</param>
/// <param name="Chunks">Chunks that it holds.</param>
/// <param name="Items">Their items, answered or not.</param>
/// <param name="Since">When it claimed the first of them.</param>
public sealed record WorkInHand(string Worker, JobId Job, string Tenant, int Chunks, int Items, DateTimeOffset Since);
