using System.Text.Json.Serialization;
using Llava.Contracts;

namespace Llava.Ledger.Results;

/// <summary>An answer that may be given again.</summary>
/// <param name="Key">Hash of all that the answer depends on, and of the scope it may be given again in.</param>
/// <param name="ScopeJobId">The only job it may be given again in, and with which it is forgotten; null for any.</param>
/// <param name="JobId">Job of the item that was answered.</param>
/// <param name="ItemNo">The item that was answered.</param>
/// <param name="Text">The answer.</param>
/// <param name="FinishReason">Why it ended.</param>
/// <param name="Confidence">How sure the model was.</param>
public sealed record CachedResult(string Key, long? ScopeJobId, long JobId, int ItemNo, string? Text, string? FinishReason, double? Confidence)
{
    /// <summary>The item that was answered.</summary>
    [JsonIgnore]
    public ItemReference Source => new(new JobId(JobId), ItemNo);
}
