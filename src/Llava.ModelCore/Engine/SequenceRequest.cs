using Llava.ModelCore.Grammars;

namespace Llava.ModelCore.Engine;

/// <summary>One prompt to be continued.</summary>
public sealed record SequenceRequest
{
    /// <summary>Token ids, with −200 where an image stands.</summary>
    public required IReadOnlyList<int> PromptTokens { get; init; }

    /// <summary>Images in the order of their placeholders.</summary>
    public IReadOnlyList<ImageInput> Images { get; init; } = [];

    /// <summary>How to generate. Default: greedy, 256 tokens.</summary>
    public SamplingSettings Sampling { get; init; } = new();

    /// <summary>Who goes first when requests wait. Default bulk.</summary>
    public RequestPriority Priority { get; init; }

    /// <summary>
    /// Whether all of the prompt but its last position may be shared, not only what comes up to the last image: for several answers to one
    /// prompt, which is then read once. Default false.
    /// </summary>
    public bool SharesWholePrompt { get; init; }

    /// <summary>Tokens that are taken one after the other whatever the model would choose, to learn what it thinks of them; null lets it choose.</summary>
    public IReadOnlyList<int>? Forced { get; init; }

    /// <summary>Holds the answer to a grammar, which also says where it ends; null leaves it free.</summary>
    internal TokenConstraint? Constraint { get; init; }

    /// <summary>Ends the sequence by what its text says; null relies on stop tokens and the limit.</summary>
    public IStopCondition? StopCondition { get; init; }
}

/// <summary>
/// Class of a waiting request; within a class the first come is the first served. A higher class goes before the lower
/// ones, which still get a turn after every eight.
/// </summary>
public enum RequestPriority
{
    /// <summary>Items of jobs.</summary>
    Bulk,

    /// <summary>First items of a job, with which a small one ends.</summary>
    Express,

    /// <summary>Somebody is watching.</summary>
    Interactive,
}

/// <summary>Decides after each token whether a sequence is finished, for example because a stop string appeared in its text.</summary>
public interface IStopCondition
{
    /// <summary>Called on the engine's thread once per generated token, in order; must be quick.</summary>
    /// <param name="token">The new token's id.</param>
    /// <returns>True to finish with <see cref="FinishReason.Stop"/>.</returns>
    bool ShouldStop(int token);
}
