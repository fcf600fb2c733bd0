using Llava.Contracts.States;

namespace Llava.Contracts.Requests;

/// <summary>Which items of a job to try again. Answers always stay.</summary>
public sealed record RetryRequest
{
    /// <summary>Outcomes to try again. Default only those that failed.</summary>
    public IReadOnlyList<ItemOutcome> Outcomes { get; init; } = [ItemOutcome.Failed];

    /// <summary>Of those that failed, only these causes. Default all.</summary>
    public IReadOnlyList<string> Codes { get; init; } = [];
}
