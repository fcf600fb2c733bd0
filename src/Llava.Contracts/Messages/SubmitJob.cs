using Llava.Contracts.Requests;

namespace Llava.Contracts.Messages;

/// <summary>Submits a job by message, for producers that speak to the broker rather than to HTTP. Give an idempotency key: delivery is at least once.</summary>
/// <param name="Request">What to do.</param>
public sealed record SubmitJob(JobRequest Request);
