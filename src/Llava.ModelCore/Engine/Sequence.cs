using System.Runtime.InteropServices;

namespace Llava.ModelCore.Engine;

/// <summary>A request on its way through the engine. Only the engine's thread touches it once it is enqueued.</summary>
internal sealed class Sequence
{
    private readonly List<int> _tokens;
    private double _logProbabilitySum;
    private double _minLogProbability;

    public Sequence(SequenceRequest request, PromptLayout layout)
    {
        Request = request;
        Layout = layout;
        Seed = request.Sampling.Seed ?? Random.Shared.NextInt64();
        _tokens = new List<int>(request.PromptTokens.Count + 16);
        _tokens.AddRange(request.PromptTokens);
    }

    public SequenceRequest Request { get; }

    public PromptLayout Layout { get; }

    public long Seed { get; }

    /// <summary>What the submitter holds.</summary>
    public SequenceHandle Handle { get; } = new();

    /// <summary>When it was submitted, a timestamp of the engine's clock.</summary>
    public long SubmittedAt { get; set; }

    /// <summary>When it got its slot; null while it waits.</summary>
    public long? AdmittedAt { get; set; }

    /// <summary>When its first token was chosen; null before.</summary>
    public long? FirstTokenAt { get; set; }

    /// <summary>Positions its extent must hold at most.</summary>
    public int Reserved => Layout.Positions + Request.Sampling.MaxNewTokens;

    /// <summary>Its part of the KV arena; null while it waits.</summary>
    public Extent? Extent { get; set; }

    /// <summary>The shared prefix it waits for, builds, or copied.</summary>
    public PrefixEntry? Prefix { get; set; }

    /// <summary>Positions whose keys and values are in the extent, or will be after the step that is planned.</summary>
    public int Computed { get; set; }

    /// <summary>Tokens that a runner has chosen and nobody has read yet: 0 or 1. The sequence is planned as if they were there.</summary>
    public int Unread { get; set; }

    /// <summary>Tokens that are chosen, read or not.</summary>
    public int Chosen => Generated.Length + Unread;

    /// <summary>Positions copied from a shared prefix instead of being computed.</summary>
    public int CachedPositions { get; set; }

    public bool IsPrefilling => Computed < Layout.Positions;

    /// <summary>Prompt ids with placeholders, then generated ids.</summary>
    public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);

    public ReadOnlySpan<int> Generated => Tokens[Request.PromptTokens.Count..];

    /// <summary>
    /// Positions of the next chunk. Chunks end at the prefix and at multiples of the chunk length from where their part
    /// begins: boundaries that depend on nothing but the sequence itself, so its numbers do not either.
    /// </summary>
    public int NextChunk(int chunkTokens)
    {
        var end = Computed < Layout.PrefixPositions ? Layout.PrefixPositions : Layout.Positions;
        return Math.Min(chunkTokens, end - Computed);
    }

    public void Append(SampledToken token)
    {
        _tokens.Add(token.Id);
        _logProbabilitySum += token.LogProbability;
        _minLogProbability = Math.Min(_minLogProbability, token.LogProbability);
    }

    /// <summary>The result at this moment.</summary>
    /// <param name="reason">Why it ends.</param>
    /// <param name="error">What failed, if something did.</param>
    /// <param name="time">The engine's clock.</param>
    public SequenceResult Result(FinishReason reason, SequenceFailedException? error, TimeProvider time)
    {
        var now = time.GetTimestamp();
        var generated = Generated.ToArray();
        return new SequenceResult
        {
            Tokens = generated,
            Reason = reason,
            Error = error,
            Usage = new SequenceUsage(Layout.Positions, CachedPositions, generated.Length),
            Timings = new SequenceTimings(Between(SubmittedAt, AdmittedAt), Between(AdmittedAt, FirstTokenAt), Between(FirstTokenAt, now)),
            Confidence = new SequenceConfidence(_minLogProbability, generated.Length == 0 ? 0 : _logProbabilitySum / generated.Length),
            Seed = Seed,
        };

        // A phase that was not reached ends the one before it now.
        TimeSpan Between(long? from, long? to) => from is { } start ? time.GetElapsedTime(start, to ?? now) : TimeSpan.Zero;
    }
}
