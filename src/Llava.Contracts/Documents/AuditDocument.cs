using System.Text.Json;

namespace Llava.Contracts.Documents;

/// <summary>A line of the audit log.</summary>
/// <param name="Number">Its place, from 1 on without a gap.</param>
/// <param name="At">When it happened.</param>
/// <param name="Actor">Who did it, such as <c>key:…</c>, <c>terminal:ada</c> or <c>schedule:nightly</c>.</param>
/// <param name="Tenant">Whose thing it was done to.</param>
/// <param name="Action">What was done, such as <c>job.cancelled</c>.</param>
/// <param name="Target">To what.</param>
/// <param name="RequestId">The request that did it; null where there was none.</param>
/// <param name="Details">More about it; null where there is no more to say.</param>
/// <param name="Hash">SHA-256 of the line before's hash and of this line.</param>
public sealed record AuditDocument(long Number, DateTimeOffset At, string Actor, string Tenant, string Action, string Target, string? RequestId, JsonElement? Details, string Hash);

/// <summary>A page of the audit log, the newest line first.</summary>
/// <param name="Data">Its lines.</param>
/// <param name="Next">What to give as <c>after</c> for the page behind; null on the last.</param>
public sealed record AuditPage(IReadOnlyList<AuditDocument> Data, string? Next);
