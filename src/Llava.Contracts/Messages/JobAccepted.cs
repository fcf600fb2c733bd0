namespace Llava.Contracts.Messages;

/// <summary>A submitted job is in the ledger. Published at least once.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Tenant">Who it belongs to.</param>
/// <param name="IdempotencyKey">The submission's key, by which its sender knows it.</param>
public sealed record JobAccepted(JobId JobId, string Tenant, string? IdempotencyKey);
