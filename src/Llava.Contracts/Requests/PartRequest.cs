namespace Llava.Contracts.Requests;

/// <summary>A further source for an open job. What is asked of its items, and how, is the job's.</summary>
public sealed record PartRequest
{
    /// <summary>Where the items come from.</summary>
    public required SourceDescription Source { get; init; }

    /// <summary>A second request with the same key finds the part that the first one added to the job.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Every rule this request breaks; empty when it can be accepted.</summary>
    public IReadOnlyList<Finding> Validate() => 
    [
        .. Source.Validate(),
        .. Source.Models.Count > 0 ? [new Finding("source.models", "belongs to the job's own source: a part asks the job's model. Leave it out.")] : Enumerable.Empty<Finding>(),
        .. JobRequest.ValidateKey(IdempotencyKey),
    ];
}
