using System.Text.Json.Serialization;
using Llava.Contracts.Requests;

namespace Llava.Contracts.Messages;

/// <summary>
/// Submits a job by message, for producers that speak to the broker rather than to HTTP. Give an idempotency key: delivery
/// is at least once. What became of it is published as <see cref="JobAccepted"/> or <see cref="JobRefused"/>.
/// </summary>
/// <param name="Request">What to do; written with the same names as everywhere else, whatever the sender's own policy is.</param>
public sealed record SubmitJob([property: JsonConverter(typeof(RequestConverter))] JobRequest Request);
