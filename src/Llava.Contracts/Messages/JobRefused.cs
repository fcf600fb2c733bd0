using Llava.Contracts.Requests;

namespace Llava.Contracts.Messages;

/// <summary>A submitted job cannot be accepted, and sending it again unchanged will not help. Published at least once.</summary>
/// <param name="Tenant">Who it would have belonged to.</param>
/// <param name="IdempotencyKey">The submission's key, by which its sender knows it.</param>
/// <param name="Code">Short snake_case word, stable across versions.</param>
/// <param name="Message">What is wrong and what would be right.</param>
/// <param name="Findings">Every rule that the request breaks; empty when another reason is given.</param>
public sealed record JobRefused(string? Tenant, string? IdempotencyKey, string Code, string Message, IReadOnlyList<Finding> Findings);
